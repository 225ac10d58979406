"""Posteriors of overlapping windows -> those of the whole, so that no symbol is doubled or lost.

In an overlap two windows hold the same sounds, and show nearly the same symbols at nearly the same
frames. Going from one window to the other at a given frame keeps what the first shows before it and
what the second shows from it on. That is right if and only if both have shown the same symbols by
then. So the symbols of both are aligned (Levenshtein, limited in time), and the frame is one at
which the alignment divides; among several, the nearest to the cut, though one at which both show a
blank may be a little farther. Towards the ends of the overlap one window lacks context, and what it
takes for a symbol may look like a real one.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from otoscope import ctc
from otoscope.errors import AudioTooShortError
from otoscope.features import Features
from otoscope.posteriors import HeadLogProbs, LogProbs, joined_heads

_NEAR_FRAMES = 5
"""Two windows show the same sound's symbol at most so many frames apart."""

_BLANK_WORTH_FRAMES = 6
"""How much farther from the cut a seam may be to lie between symbols: about one symbol."""


class PosteriorStitcher:
    """The joined posteriors of the windows so far, and their features if they are given."""

    def __init__(self, frame_stride: int) -> None:
        """Begin with nothing.

        Args:
            frame_stride: rows of features per row of posteriors.
        """
        self._stride = frame_stride
        self._done: list[HeadLogProbs] = []
        self._features: list[Features] = []
        self._last_features: Features | None = None
        self._last: HeadLogProbs | None = None
        self._last_first = 0
        self._joined_at = self._returned = 0

    def add(
        self,
        first_frame: int,
        cut_frame: int,
        heads: HeadLogProbs,
        features: Features | None = None,
    ) -> None:
        """Join the next window.

        Args:
            first_frame: the recording's frame that is the first of `heads`.
            cut_frame: the frame to go over at, if all are as good.
            heads: of the whole window, both overlaps included.
            features: of the window, (frames, bins); of all windows or of none.
        """
        if self._last is not None:
            before = self._last.cut(first_frame - self._last_first, None)
            after = heads.cut(0, before.characters.shape[0])
            seam = first_frame + find_seam(before, after, cut_frame - first_frame)
            self._keep(self._last, seam)
        self._last, self._last_first, self._last_features = heads, first_frame, features

    def heads(self) -> HeadLogProbs:
        """All frames of the recording, once every window is in.

        Raises:
            AudioTooShortError: if there was no window.
        """
        if self._last is None:
            raise AudioTooShortError("expected at least one window, got none")
        self._keep(self._last, self._last_first + self._last.characters.shape[0])
        return joined_heads(self._done)

    def settled(self) -> HeadLogProbs:
        """Frames that have become final since the last call, which was at least two windows ago."""
        pieces, self._returned = self._done[self._returned :], len(self._done)
        return joined_heads(pieces)

    def features(self) -> Features:
        """Those of the recording, after `heads`: each window's part, normalised in its window."""
        return np.concatenate(self._features)

    def _keep(self, heads: HeadLogProbs, stop: int) -> None:
        """What the last window says from the last seam up to this one."""
        start, end = self._joined_at - self._last_first, stop - self._last_first
        self._done.append(heads.cut(start, end))
        if self._last_features is not None:  # the last row of posteriors may stand for fewer
            rows = self._last_features[start * self._stride : end * self._stride]
            self._features.append(rows.copy())
        self._joined_at = stop


def find_seam(before: HeadLogProbs, after: HeadLogProbs, preferred: int) -> int:
    """The frame at which to go from one window to the next.

    Args:
        before: the overlap in the earlier window, (frames, classes) with the blank last.
        after: the same frames in the later window.
        preferred: the frame to take if all are as good. Frames closer to an end of the overlap than
            half as far as this are not considered: there one window has too little context.

    Returns:
        A frame: those below it are to come from `before`, the others from `after`.
    """
    pairs = [
        _Pair(one, other)
        for one, other in zip(before, after, strict=True)
        if one is not None and other is not None
    ]
    frames = before.characters.shape[0]
    candidates = range(preferred // 2, frames - (frames - preferred) // 2 + 1)
    return min(
        candidates,
        key=lambda frame: (
            sum(pair.errors(frame) for pair in pairs),
            abs(frame - preferred)
            + _BLANK_WORTH_FRAMES * (not all(pair.is_blank(frame) for pair in pairs)),
        ),
    )


class _Pair:
    """The greedy paths of one head through the same frames in two windows, compared."""

    def __init__(self, before: LogProbs, after: LogProbs) -> None:
        self._blank = before.shape[1] - 1
        self._paths = [each.argmax(axis=1).astype(np.int64) for each in (before, after)]
        one, other = self._symbols = [
            [run for run in ctc.runs(path) if run.label != self._blank] for path in self._paths
        ]
        self._beginnings = _distances(one, other)
        self._endings = _distances(one[::-1], other[::-1])

    def errors(self, frame: int) -> int:
        """Edits that the symbols need before `frame` and after it, taken apart there.

        They are fewest where no symbol is doubled or lost by going over; how many there are then
        says only how unlike the two are.
        """
        i, j = (bisect_left(symbols, frame, key=lambda run: run.start) for symbols in self._symbols)
        edits = self._beginnings[i][j] + self._endings[-1 - i][-1 - j]
        return edits + self._splits_symbol(frame)

    def is_blank(self, frame: int) -> bool:
        """Whether both show blanks on both sides of the seam."""
        sides = slice(max(0, frame - 1), frame + 1)
        return all(bool((path[sides] == self._blank).all()) for path in self._paths)

    def _splits_symbol(self, frame: int) -> bool:
        """Whether a seam between two symbols would show one twice or lose one.

        Twice if a symbol of `after` began before `frame` and goes on from it; lost if one begins at
        `frame` and `before` shows the same class just before it. Both at once come out right.
        """
        before, after = self._paths
        if not 0 < frame < after.size or after[frame] == self._blank:
            return False
        goes_on = after[frame - 1] == after[frame]
        merges = before[frame - 1] == after[frame]
        return bool(goes_on != merges)


def _distances(one: Sequence[ctc.Run], other: Sequence[ctc.Run]) -> list[list[int]]:
    """Levenshtein's distances of all beginnings: [i][j] is that of one[:i] and other[:j].

    Symbols far from each other in time are not the same, however alike: one is taken away and the
    other put in.
    """
    rows = [list(range(len(other) + 1))]
    for i, left in enumerate(one, start=1):
        above, row = rows[-1], [i]
        for j, right in enumerate(other):
            far = abs(left.start - right.start) > _NEAR_FRAMES
            swap = 2 if far else int(left.label != right.label)
            row.append(min(above[j] + swap, above[j + 1] + 1, row[j] + 1))
        rows.append(row)
    return rows
