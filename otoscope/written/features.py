"""What a punctuation model reads of words and pauses: rows of a table, and classes.

A word is the sum of four rows: two of the whole word, so that words which share one differ in the
other, one of its first and one of its last letters, so that a rare word is like its kin (Svenstrup
et al. 2017, "Hash Embeddings"; Bojanowski et al. 2017, "Enriching Word Vectors with Subword
Information"). There is no vocabulary, so no word is unknown.
"""

import zlib
from collections.abc import Sequence

import numpy as np

from otoscope.arrays import Floats, Ints

COLUMNS = 4
"""Rows a word."""

_AFFIX = 3


def word_rows(words: Sequence[str], table_rows: int) -> Ints:
    """Rows of each word: (words, COLUMNS) int64 in 1..table_rows - 1."""
    rows = [zlib.crc32(part) for word in words for part in _parts(word)]
    return 1 + np.array(rows, dtype=np.int64).reshape(-1, COLUMNS) % (table_rows - 1)


def pause_classes(pauses_s: Floats, edges_s: Sequence[float]) -> Ints:
    """Pauses in seconds, NaN where they are not known -> (words,) int64, 0 for NaN."""
    classes = 1 + np.searchsorted(np.asarray(edges_s), pauses_s, side="right")
    return np.where(np.isnan(pauses_s), 0, classes).astype(np.int64)


def _parts(word: str) -> tuple[bytes, ...]:
    whole = word.encode()
    return (
        b"0" + whole,
        b"1" + whole,
        b"<" + word[:_AFFIX].encode(),
        b">" + word[-_AFFIX:].encode(),
    )
