"""How the texts of a search came about, kept small however long the search runs."""

import heapq
from collections.abc import Iterator

import numpy as np

from otoscope.decoding.scorers import Ints

_ROWS = 1 << 16
"""So many are kept before it is worth looking which of them nobody needs."""


class History:
    """Texts as rows: the row of the text that one goes on from, and the letter it adds.

    Row 0 is the text that all others begin with: the empty one at first. Of a long recording, the
    texts of a beam differ in their last words only. What they share is settled now and then, and
    what none of them goes back to is forgotten: an hour would be a gigabyte otherwise.
    """

    def __init__(self) -> None:
        self._settled: list[int] = []
        self._parents: list[Ints] = [np.array([-1])]
        self._labels: list[Ints] = [np.array([-1])]
        self._rows = 1
        self._most = _ROWS

    @property
    def rows(self) -> int:
        """How many texts are kept."""
        return self._rows

    def add(self, parents: Ints, labels: Ints) -> Ints:
        """Rows of new texts, which go on from `parents` with `labels`."""
        self._parents.append(parents)
        self._labels.append(labels)
        self._rows += parents.size
        return np.arange(self._rows - parents.size, self._rows)

    def settle(self, rows: Ints) -> Ints:
        """The texts at `rows` have other rows after this, and other texts may have none."""
        if self._rows <= self._most:
            return rows
        parents, labels = np.concatenate(self._parents), np.concatenate(self._labels)
        needed = _needed(rows, parents)
        self._settled += _letters(int(needed[0]), parents, labels)
        origins, letters = np.searchsorted(needed, parents[needed]), labels[needed]
        origins[0] = letters[0] = -1
        self._parents, self._labels, self._rows = [origins], [letters], needed.size
        self._most = max(_ROWS, 2 * needed.size)
        return np.searchsorted(needed, rows)

    def spell(self, rows: Ints) -> Iterator[list[int]]:
        """Letters of the texts at `rows`, one after another."""
        parents, labels = np.concatenate(self._parents), np.concatenate(self._labels)
        for row in rows.tolist():
            yield self._settled + _letters(row, parents, labels)


def _letters(row: int, parents: Ints, labels: Ints) -> list[int]:
    """What the text at `row` adds to that of row 0."""
    letters = []
    while parents[row] >= 0:
        letters.append(int(labels[row]))
        row = int(parents[row])
    return letters[::-1]


def _needed(rows: Ints, parents: Ints) -> Ints:
    """The last text that all at `rows` begin with, and all rows from there to these, in order."""
    seen = set(rows.tolist())
    ahead = [-row for row in seen]  # the highest row first: it is nobody's parent any more
    heapq.heapify(ahead)
    needed = []
    while len(ahead) > 1:
        row = -heapq.heappop(ahead)
        needed.append(row)
        parent = int(parents[row])
        if parent not in seen:
            seen.add(parent)
            heapq.heappush(ahead, -parent)
    return np.array([-ahead[0], *reversed(needed)])
