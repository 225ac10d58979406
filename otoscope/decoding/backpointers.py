"""How the texts of a search came about, kept small however long the search runs."""

import heapq
from collections.abc import Iterator

import numpy as np

from otoscope.arrays import Ints

_ROWS = 1 << 16
"""Fewer rows than these are not worth pruning."""


class Backpointers:
    """Texts as rows: the row of the text that one extends, and the label it adds.

    Row 0 is the text that all others begin with: the empty one at first. Of a long recording, the
    texts of a beam differ in their last words only. Now and then the prefix that they share is
    moved out of the rows, and rows that no text needs are dropped: an hour would take a gigabyte
    otherwise.
    """

    def __init__(self) -> None:
        self._prefix: list[int] = []
        self._parents: list[Ints] = [np.array([-1])]
        self._labels: list[Ints] = [np.array([-1])]
        self._most = _ROWS
        self.rows = 1

    def add(self, parents: Ints, labels: Ints) -> Ints:
        """Rows of new texts, which extend those at `parents` by `labels`."""
        self._parents.append(parents)
        self._labels.append(labels)
        self.rows += parents.size
        return np.arange(self.rows - parents.size, self.rows)

    def prune(self, rows: Ints) -> Ints:
        """Keep the texts at `rows` alone, and return the rows that they have from now on."""
        if self.rows <= self._most:
            return rows
        parents, labels = np.concatenate(self._parents), np.concatenate(self._labels)
        needed = _needed(rows, parents)
        self._prefix += _spell(needed[:1], parents, labels)[0]
        kept_parents, kept_labels = np.searchsorted(needed, parents[needed]), labels[needed]
        kept_parents[0] = kept_labels[0] = -1
        self._parents, self._labels, self.rows = [kept_parents], [kept_labels], needed.size
        self._most = max(_ROWS, 2 * needed.size)
        return np.searchsorted(needed, rows)

    def spell(self, rows: Ints) -> Iterator[list[int]]:
        """Labels of the texts at `rows`, one text after another."""
        parents, labels = np.concatenate(self._parents), np.concatenate(self._labels)
        for spelled in _spell(rows, parents, labels):
            yield self._prefix + spelled


def _spell(rows: Ints, parents: Ints, labels: Ints) -> list[list[int]]:
    """What the texts at `rows` add to that of row 0."""
    steps = [labels.take(rows)]
    while (rows := np.maximum(parents.take(rows), 0)).any():
        steps.append(labels.take(rows))
    columns = np.stack(steps[::-1], axis=1)
    starts = (columns < 0).sum(axis=1).tolist()
    return [column[start:] for column, start in zip(columns.tolist(), starts, strict=True)]


def _needed(rows: Ints, parents: Ints) -> Ints:
    """The last text that all at `rows` begin with, and all rows from there to these, in order."""
    seen = set(rows.tolist())
    ahead = [-row for row in seen]  # highest row first: it is no longer anyone's parent
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
