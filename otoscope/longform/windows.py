"""Long audio -> windows that overlap, cut where it is quietest.

A cut has to fall somewhere in a range; the quietest place in it is a pause more often than not, and
where there is no pause both windows still hold what is said across the cut. Nothing is kept beyond
the range and the overlap, however long the audio is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from otoscope.audio import Samples
from otoscope.errors import SpecError
from otoscope.longform.sample_buffer import SampleBuffer
from otoscope.spec import ModelSpec

_PREEMPHASIS = 0.97
"""Hum and rumble are no speech: the level is that of the pre-emphasised signal."""

_PAUSE_S = 0.4
"""The level of a cut is the mean over this long around it."""

_FLOOR = 2.0**-30
"""Least mean square of a unit: one step of 16 bits. Less is no quieter."""


@dataclass(frozen=True)
class WindowOptions:
    """How long audio is cut; docs/decisions/0010 says why so.

    Attributes:
        shortest_s, longest_s: a cut is so many seconds from the one before it. What remains stays
            in one piece up to the sum of both, and so does a recording up to that long.
        overlap_s: windows overlap by so much, half of it on either side of their cut.
    """

    shortest_s: float = 15.0
    longest_s: float = 25.0
    overlap_s: float = 4.0

    def __post_init__(self) -> None:
        if not _PAUSE_S <= self.shortest_s <= self.longest_s:
            raise SpecError(
                f"expected {_PAUSE_S} <= shortest_s <= longest_s, "
                f"got {self.shortest_s} and {self.longest_s}"
            )
        if not 0 < self.overlap_s <= self.shortest_s:
            raise SpecError(
                f"expected an overlap_s above 0, at most shortest_s={self.shortest_s}, "
                f"got {self.overlap_s}"
            )

    @classmethod
    def suited_to(cls, spec: ModelSpec) -> "WindowOptions":
        """The defaults; shorter where the model has attention, whose cost grows with the square."""
        return cls(8.0, 13.0, 3.0) if spec.features.kind == "whisper" else cls()

    @property
    def whole_s(self) -> float:
        """Longest recording that is not cut."""
        return self.shortest_s + self.longest_s


@dataclass(frozen=True)
class Window:
    """A piece of a recording. Frames are output frames on the recording's own clock.

    Attributes:
        first_frame: the frame on which `samples` begin.
        cut_frame: where this window should take over from the one before; 0 in the first.
        samples: (samples,) float32, reaching beyond the cut on each side that has a neighbour.
    """

    first_frame: int
    cut_frame: int
    samples: Samples


def windows(blocks: Iterable[Samples], spec: ModelSpec, options: WindowOptions) -> Iterator[Window]:
    """Cut a recording that comes in blocks.

    Args:
        blocks: (samples,) float32 at the model's rate; how it is divided does not matter.
        spec: whose frames the cuts are to fall on.
        options: how to cut.

    Returns:
        Windows in order, as soon as each can be told; one at least, and empty if there are no
        samples. Together they cover every sample, and each begins on an output frame.
    """
    unit = spec.frame_samples
    shortest, longest, beyond = (
        max(1, round(seconds / spec.frame_s))
        for seconds in (options.shortest_s, options.longest_s, options.overlap_s / 2)
    )
    pause = max(2, round(_PAUSE_S / spec.frame_s))
    buffer, rest = SampleBuffer(), iter(blocks)
    first = cut = 0
    while _reaches_beyond(buffer, rest, (cut + shortest + longest) * unit):
        earliest, latest = cut + shortest - pause // 2, cut + longest + pause - pause // 2
        following = earliest + _quietest(buffer.view(earliest * unit, latest * unit), unit, pause)
        yield Window(first, cut, buffer.view(first * unit, (following + beyond) * unit).copy())
        first, cut = following - beyond, following
        buffer.drop_before(first * unit)
    yield Window(first, cut, buffer.view(first * unit, buffer.stop))


def _quietest(samples: Samples, unit: int, pause: int) -> int:
    """Where a pause is likeliest, in units.

    Args:
        samples: (samples,) float32, a whole number of units.
        unit: samples in a unit.
        pause: units in a pause.

    Returns:
        A number of units; the pause around it is the quietest that lies within `samples` as a
        whole, the one nearest the middle if there are several.
    """
    emphasized = samples.astype(np.float64)
    emphasized[1:] -= _PREEMPHASIS * emphasized[:-1]
    emphasized[:1] *= 1 - _PREEMPHASIS
    power = (emphasized**2).reshape(-1, unit).mean(axis=1)
    spans = np.lib.stride_tricks.sliding_window_view(np.maximum(power, _FLOOR), pause)
    levels = spans.mean(axis=1)  # a running sum would not give equal spans equal means
    quietest = np.flatnonzero(levels == levels.min())
    middle = (levels.size - 1) / 2
    return int(quietest[np.argmin(np.abs(quietest - middle))]) + pause // 2


def _reaches_beyond(buffer: SampleBuffer, blocks: Iterator[Samples], stop: int) -> bool:
    """Whether the recording is longer than `stop` samples; if so, they are all in the buffer."""
    while buffer.stop <= stop and (block := next(blocks, None)) is not None:
        buffer.add(block)
    return buffer.stop > stop
