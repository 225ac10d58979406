"""Which moment a frame is about: frame indices <-> seconds."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from otoscope.arrays import Floats, Ints
from otoscope.errors import ViewError

SpanS: TypeAlias = tuple[float, float]
"""Start and end in seconds."""

_ROUNDING_S = 1e-3
"""Responses round a recording's length to milliseconds, and clients may give it back as `to_s`."""
_FRAME_TOLERANCE = 1e-6
_TIME_DECIMALS = 6


@dataclass(frozen=True)
class FrameClock:
    """Frame indices <-> seconds, of a model's output and of its features alike.

    Frame i is centred on i * frame_s and owns the time half-way to its neighbours, cut to the
    recording.

    Attributes:
        frame_s: seconds between frames.
        duration_s: length of the recording.
    """

    frame_s: float
    duration_s: float

    def centers_s(self, frames: slice) -> Floats:
        """(frames,) the middle of each in seconds, to the microsecond."""
        centers: Floats = np.arange(frames.start, frames.stop) * self.frame_s
        return centers.round(_TIME_DECIMALS)

    def span_s(self, start: int, stop: int) -> SpanS:
        """Start and end in seconds of the frames start..stop-1."""
        start_s, end_s = self.edges_s(np.array([start, stop])).tolist()
        return start_s, end_s

    def edges_s(self, frames: Ints) -> Floats:
        """Where each of `frames` (n,) starts, in seconds; the frame after the last, at the end."""
        edges: Floats = np.clip((frames - 0.5) * self.frame_s, 0.0, self.duration_s)
        return edges

    def frame_at(self, time_s: float) -> int:
        """The frame that owns `time_s`."""
        return max(0, math.floor(time_s / self.frame_s + 0.5))

    def frames_touching(self, span_s: SpanS, frames: int) -> slice:
        """Those of so many frames that own some of the time; one at least."""
        first, last = (self.frame_at(edge_s) for edge_s in span_s)
        return slice(min(first, frames - 1), min(last + 1, frames))

    def part(self, frames: int, from_s: float | None, to_s: float | None) -> tuple[SpanS, slice]:
        """A part of a recording: its span, and the frames centred in [start, end).

        Parts that follow one another share no frame, and miss none.

        Args:
            frames: how many the recording has.
            from_s: in seconds; None for the recording's start.
            to_s: in seconds; None for its end.

        Raises:
            ViewError: if that is no part of the recording, or holds no frame's centre.
        """
        start_s = 0.0 if from_s is None else from_s
        stop_s = self.duration_s if to_s is None else to_s
        if not 0 <= start_s < stop_s <= self.duration_s + _ROUNDING_S:
            raise ViewError(
                f"expected 0 <= from_s < to_s <= {self.duration_s:.3f} (the recording's length in "
                f"seconds), got {start_s:g} and {stop_s:g}"
            )
        first, stop = (math.ceil(t / self.frame_s - _FRAME_TOLERANCE) for t in (start_s, stop_s))
        stop = frames if to_s is None else min(stop, frames)
        if first >= stop:
            raise ViewError(
                f"expected from_s and to_s with a frame's centre between, each {self.frame_s:g} s "
                f"up to {(frames - 1) * self.frame_s:g} s, got {start_s:g} and {stop_s:g}"
            )
        return (start_s, min(stop_s, self.duration_s)), slice(first, stop)
