"""What manifests list: recordings or parts of them, and what is said there."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from otoscope import audio
from otoscope.audio import Samples
from otoscope.errors import ManifestError

_OVERSHOOT_S = 0.5
"""Ends of segments are rounded, or taken from longer copies: Kaldi allows as much."""


@dataclass(frozen=True)
class Clip:
    """A recording, or a part of one.

    Attributes:
        audio: the file.
        start_s: where the part begins.
        duration_s: how long it is; None for all the rest.
    """

    audio: Path
    start_s: float = 0.0
    duration_s: float | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all of the file."""
        return self.start_s == 0 and self.duration_s is None

    def overlaps(self, other: "Clip") -> bool:
        """Whether both have a piece of the same recording."""
        ends_s = [
            math.inf if one.duration_s is None else one.start_s + one.duration_s
            for one in (self, other)
        ]
        return self.audio == other.audio and max(self.start_s, other.start_s) < min(ends_s)

    def cut(self, samples: Samples, rate_hz: int) -> Samples:
        """The part of its file's samples.

        Raises:
            ManifestError: if the file ends before the part does.
        """
        if self.whole:
            return samples
        length_s = samples.size / rate_hz
        end_s = length_s if self.duration_s is None else self.start_s + self.duration_s
        if self.start_s >= length_s or end_s > length_s + _OVERSHOOT_S:
            raise ManifestError(
                f"{self.audio}: expected speech from {self.start_s:g} to {end_s:g} s, "
                f"got a file of {length_s:.2f} s"
            )
        return samples[round(self.start_s * rate_hz) : round(end_s * rate_hz)]


@dataclass(frozen=True)
class Utterance:
    """One recording or part of one, and its text as the source writes it."""

    audio: Path
    text: str
    speaker: str = ""
    start_s: float = 0.0
    duration_s: float | None = None

    @property
    def clip(self) -> Clip:
        """Where it is heard."""
        return Clip(self.audio, self.start_s, self.duration_s)


def by_file(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Clips in their order; neighbours of one file together, so that it is decoded once."""
    return [list(group) for _, group in groupby(clips, key=lambda clip: clip.audio)]


def load_clips(clips: Sequence[Clip], rate_hz: int) -> Iterator[Samples]:
    """Samples (samples,) float32 of each clip, at that rate.

    Raises:
        ManifestError: if a file ends before a clip does.
        otoscope.errors.AudioError, FileNotFoundError: if a file can't be read.
    """
    for group in by_file(clips):
        whole = all(clip.whole for clip in group)
        limit_s = audio.DEFAULT_MAX_DURATION_S if whole else math.inf
        samples = audio.load(group[0].audio, rate_hz, max_duration_s=limit_s).samples
        for clip in group:
            yield clip.cut(samples, rate_hz)
