"""Batches of windows, drawn at random from the texts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from otoscope.arrays import Ints
from otoscope.written.features import pause_classes, word_rows
from otoscope.written.spec import PunctuationSpec
from training.punctuation.pauses import draw_pauses
from training.punctuation.text import LabelledText, cases_of, marks_of
from training.punctuation.tokens import STOP, UNKNOWN_CASE

IGNORED = -100
"""A label that nothing is learned from: torch's."""

_SHARE_WHOLE = 0.5
"""Of the windows that begin, and of those that end, where a sentence does."""

_SHARE_SILENT = 0.3
"""Of the windows without pauses, as texts have none."""

_SHARE_MISHEARD = 0.02
"""Of the words that are others', since recognisers err."""


class PunctuationBatch(NamedTuple):
    """Padded windows: (windows, words) int64 where nothing else is said.

    Attributes:
        rows: (windows, words, COLUMNS) int64.
        pauses: classes.
        lengths: (windows,) int64.
        cases, marks: labels, IGNORED where there is nothing to learn.
    """

    rows: Tensor
    pauses: Tensor
    lengths: Tensor
    cases: Tensor
    marks: Tensor


class Batches:
    """Draws from several texts, from each as the root of its size."""

    def __init__(self, texts: Sequence[LabelledText], spec: PunctuationSpec) -> None:
        """Prepare the features of the texts' different words."""
        self._texts = texts
        self._spec = spec
        self._rows = [word_rows(text.types, spec.table_rows).astype(np.int32) for text in texts]
        sizes = np.sqrt([float(text.words) for text in texts])
        self._shares = sizes / sizes.sum()

    def draw(self, windows: int, rng: np.random.Generator) -> PunctuationBatch:
        """So many windows, each from one text."""
        size = self._spec.window_words
        rows = np.zeros((windows, size, self._rows[0].shape[1]), dtype=np.int64)
        labels = np.zeros((windows, size), dtype=np.uint8)
        lengths = np.zeros(windows, dtype=np.int64)
        for window, place in enumerate(rng.choice(len(self._texts), windows, p=self._shares)):
            text = self._texts[place]
            start, end = _bounds(text, size, rng)
            length = lengths[window] = end - start
            rows[window, :length] = self._rows[place][text.numbers[start:end]]
            labels[window, :length] = text.labels[start:end]
        own = np.arange(size) < lengths[:, None]
        misheard = own & (rng.random(own.shape) < _SHARE_MISHEARD)
        rows[misheard] = rng.permutation(rows[own])[: misheard.sum()]
        return self._labelled(rows, labels, lengths, rng)

    def _labelled(
        self,
        rows: Ints,
        labels: npt.NDArray[np.uint8],
        lengths: Ints,
        rng: np.random.Generator,
    ) -> PunctuationBatch:
        padding = np.arange(labels.shape[1]) >= lengths[:, None]
        cases, marks = cases_of(labels), marks_of(labels)
        pauses_s = draw_pauses(marks, rng)
        pauses_s[rng.random(len(labels)) < _SHARE_SILENT] = np.nan
        pauses = pause_classes(pauses_s, self._spec.pause_edges_s)
        cases[padding | (cases == UNKNOWN_CASE)] = IGNORED
        marks[padding] = IGNORED
        return PunctuationBatch(
            *(torch.from_numpy(each) for each in (rows, pauses, lengths, cases, marks))
        )


def _bounds(text: LabelledText, size: int, rng: np.random.Generator) -> tuple[int, int]:
    """Where a window begins and ends, at the ends of sentences more often than by chance."""
    start = int(rng.integers(max(1, text.words - size)))
    if rng.random() < _SHARE_WHOLE:
        ends = _sentence_ends(text, start, start + size)
        start += int(ends[0]) + 1 if ends.size and ends[0] + 1 < text.words - start else 0
    end = min(start + size, text.words)
    if rng.random() < _SHARE_WHOLE:
        ends = _sentence_ends(text, start, end)
        end = start + int(rng.choice(ends)) + 1 if ends.size else end
    return start, end


def _sentence_ends(text: LabelledText, start: int, end: int) -> Ints:
    marks = marks_of(np.asarray(text.labels[start:end]))
    return np.flatnonzero(marks >= STOP)
