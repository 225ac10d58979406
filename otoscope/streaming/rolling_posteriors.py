"""Posteriors of a stream's last frames, out of windows that are heard one after another."""

import numpy as np

from otoscope.longform.stitching import find_seam
from otoscope.posteriors import HeadLogProbs, LogProbs


class RollingPosteriors:
    """The latest posteriors of each frame that is still needed.

    Where a window begins in the midst of what is known, it lacks the context that older ones had
    there: both are joined where they show the same (`otoscope.longform.stitching`), and what lies
    before stays.

    Attributes:
        first: the stream's frame that is the first kept.
        stop: the frame behind the last.
    """

    def __init__(self) -> None:
        self.first = self.stop = 0
        self._heads: HeadLogProbs | None = None

    def update(self, first_frame: int, heads: HeadLogProbs, overlap: int) -> None:
        """Join a window.

        Args:
            first_frame: the stream's frame that is the first of `heads`; at most `stop`.
            heads: of the whole window.
            overlap: frames at the window's start in which to go over to it.
        """
        known = self._heads
        if known is None or first_frame <= self.first:
            self._heads = _cut(heads, max(0, self.first - first_frame), None)
        else:
            place = first_frame - self.first
            before = _cut(known, place, place + overlap)
            shared = before.characters.shape[0]
            seam = find_seam(before, _cut(heads, 0, shared), shared // 2) if shared else 0
            self._heads = _joined(_cut(known, 0, place + seam), _cut(heads, seam, None))
        self.stop = first_frame + heads.characters.shape[0]

    def view(self, start: int, stop: int) -> HeadLogProbs:
        """Frames start..stop-1 of the stream, which have to be there; a copy."""
        assert self._heads is not None  # noqa: S101 - frames are asked for that were told of
        return _cut(self._heads, start - self.first, stop - self.first)

    def drop_before(self, frame: int) -> None:
        """Free what lies before `frame`."""
        if frame > self.first:
            if self._heads is not None:
                self._heads = _cut(self._heads, frame - self.first, None)
            self.first = frame


def _cut(heads: HeadLogProbs, start: int, stop: int | None) -> HeadLogProbs:
    phonemes = None if heads.phonemes is None else heads.phonemes[start:stop].copy()
    return HeadLogProbs(heads.characters[start:stop].copy(), phonemes)


def _joined(one: HeadLogProbs, other: HeadLogProbs) -> HeadLogProbs:
    phonemes: LogProbs | None = None
    if one.phonemes is not None and other.phonemes is not None:
        phonemes = np.concatenate((one.phonemes, other.phonemes))
    return HeadLogProbs(np.concatenate((one.characters, other.characters)), phonemes)
