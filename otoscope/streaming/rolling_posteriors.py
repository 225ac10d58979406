"""Posteriors of a stream's last frames, out of windows that are heard one after another."""

from otoscope.longform.stitching import find_seam
from otoscope.posteriors import HeadLogProbs, joined_heads


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
            self._heads = heads.cut(max(0, self.first - first_frame), None)
        else:
            place = first_frame - self.first
            before = known.cut(place, place + overlap)
            shared = before.characters.shape[0]
            seam = find_seam(before, heads.cut(0, shared), shared // 2) if shared else 0
            self._heads = joined_heads([known.cut(0, place + seam), heads.cut(seam, None)])
        self.stop = first_frame + heads.characters.shape[0]

    def view(self, start: int, stop: int) -> HeadLogProbs:
        """Frames start..stop-1 of the stream, which have to be there; a copy."""
        assert self._heads is not None  # noqa: S101 - frames are asked for that were told of
        return self._heads.cut(start - self.first, stop - self.first)

    def drop_before(self, frame: int) -> None:
        """Free what lies before `frame`."""
        if frame > self.first:
            if self._heads is not None:
                self._heads = self._heads.cut(frame - self.first, None)
            self.first = frame
