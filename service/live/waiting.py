"""How long a stream may keep its place while its client brings no audio, or little."""

from service.inference.live_streams import StreamLimits


class Waiting:
    """Counts the time in which the service waits for a stream's client.

    While the service is behind, and the client waits for it, none is counted.
    """

    def __init__(self, limits: StreamLimits) -> None:
        """Begin to count."""
        self._limits = limits
        self._all_s = self._idle_s = self._received_s = 0.0

    @property
    def left_s(self) -> float:
        """Longest that the service may wait without a look at `over`."""
        left_s = min(self._limits.idle_s - self._idle_s, self._limits.longest_s - self._all_s)
        return max(0.0, left_s)

    def add(self, waited_s: float, received_s: float) -> None:
        """Add some time.

        Args:
            waited_s: the time.
            received_s: audio so far. If there is more of it than before, the client is not idle.
        """
        self._all_s += waited_s
        self._idle_s = 0.0 if received_s > self._received_s else self._idle_s + waited_s
        self._received_s = received_s

    @property
    def over(self) -> str:
        """Why the stream has to end; nothing if it may go on."""
        if max(self._all_s, self._received_s) >= self._limits.longest_s:
            return f"it lasted {self._limits.longest_s:g} s"
        if self._idle_s >= self._limits.idle_s:
            return f"nothing came for {self._limits.idle_s:g} s"
        return ""
