"""A container's clock: when a player shows each sample, and how long it is silent before."""

import re

LONGEST_S = 1e9
"""Thirty years: a header that says more is damaged."""

_CLOCK = re.compile(r"([0-9]{1,6}):([0-9]{2}):([0-9]{2}(?:[.][0-9]+)?)")

_JITTER_S = 0.1
"""Clocks of containers are rounded, and those of recorders uneven."""

_BACK_S = 1.0
"""A clock that leaps back further is another one."""

_RESET_S = 10.0
"""So is one that leaps ahead further, in streams that may be joined."""

_PAUSE_S = 3600.0
"""No recorder pauses for longer: such a clock is damaged."""

CLOCKED = ("mov", "matroska", "mpegts", "asf", "flv", "mpeg")
"""Containers with times of their own; those of others follow from the sizes of what went before."""

JOINABLE = ("mpegts", "flv", "mpeg")


class Timeline:
    """The samples of one track, as they come.

    Attributes:
        reached_s: what has been placed so far, silence included.
        lost: whether the clock leapt too far to be followed.
    """

    def __init__(self, container: str, origin_s: float) -> None:
        """Of a container that FFmpeg calls so, whose clock shows `origin_s` where players begin."""
        self.reached_s = 0.0
        self.lost = False
        self._clocked = container.startswith(CLOCKED)
        self._joinable = container.startswith(JOINABLE)
        self._origin_s = origin_s

    def place(self, time_s: float | None, length_s: float) -> float:
        """Seconds of silence before the next `length_s`, which the container's clock puts there."""
        silence_s = 0.0
        if self._clocked and time_s is not None:
            leap_s = time_s - self._origin_s - self.reached_s
            ahead = self._joinable and self.reached_s > 0 and leap_s > _RESET_S
            if ahead or leap_s < -_BACK_S or leap_s > _PAUSE_S:
                self._origin_s += leap_s
                self.lost |= leap_s > _PAUSE_S
            elif leap_s > _JITTER_S:
                silence_s = leap_s
        self.reached_s += silence_s + length_s
        return silence_s


def tagged_s(text: str) -> float | None:
    """Seconds of a length as Matroska's tags write it, "00:00:03.459000000"; None of another."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = map(float, found.groups())
    return 3600 * hours + 60 * minutes + seconds
