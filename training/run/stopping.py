"""Ctrl-C and SIGTERM: a run ends at its next step, with a checkpoint."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Records SIGINT and SIGTERM.

    Attributes:
        came: whether a signal has been received.
    """

    def __init__(self) -> None:
        self.came = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Record signals instead of ending the process."""
        before = {number: signal.signal(number, self._take) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.came = True


def leave_signals_to_the_run(worker: int) -> None:  # noqa: ARG001
    """Ignore signals in a data worker: Ctrl-C reaches it, too, but the run stops its workers."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
