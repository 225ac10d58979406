"""A word n-gram language model with back-off, mapped from one file that all processes share.

P(w | u, v) is the trigram's own probability where the model has it, else the back-off weight of
(u, v) times P(w | v), and so on (Katz 1987; the ARPA form), for n-grams of any length. Log
probabilities and back-off weights are codes of 6 bits into a code book for each length (Federico
and Bertoldi 2006), in one hash table: what is asked of the model takes three cells of it.
"""

import os
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Floats, Ints
from otoscope.atomic_files import replacing
from otoscope.decoding.ngram_table import (
    CODE_BITS,
    Cells,
    Codes,
    NgramTable,
    build_table,
    extend_hashes,
    hash_words,
)
from otoscope.errors import ModelFileError

START, END, UNKNOWN = range(3)
"""Numbers of the marks <s>, </s> and <unk>, which come before all words."""

NAMES = ("<s>", "</s>", "<unk>")
MARKS = len(NAMES)
WORD_END = "\n"

_FORMAT = 2
_MARKS = ("language", "symbols")
_NONE = -1
_MEMBER_HEADER = 30  # bytes, before the name, in a zip archive
_ROUNDS = 20

CodeBook = npt.NDArray[np.float32]


class Ngrams(NamedTuple):
    """All n-grams of one length that a model has, at least two words each.

    Attributes:
        words: (n, length) numbers, the first word first.
        log_probs: (n,) natural log probability of the last word after the others.
        backoffs: (n,) natural log of the back-off weight.
    """

    words: Ints
    log_probs: Floats
    backoffs: Floats


class History(NamedTuple):
    """What comes before the next word in each of many texts.

    Attributes:
        words: (order - 1, texts) numbers of the last words, the last one first; below 0 for none.
        backoffs: (order - 1, texts) natural log of the back-off weight of the last word, of the
            last two, and so on; NaN where the model does not have those.
    """

    words: Ints
    backoffs: Floats


@dataclass(frozen=True)
class NgramModel:
    """P(word | words before), natural logarithms.

    Attributes:
        text: the vocabulary, <s>, </s> and <unk> first, each word with a line end after it; a
            word's number is its place.
        unigrams: (words, 2) float32, log probability and back-off weight.
        log_probs, backoffs: (order - 1, codes), what a code says of n-grams of two words, of
            three, and so on.
        table: the codes.
        source: the file that it is mapped from.
        language: of its texts, an ISO 639 code; "" if it is not known.
        symbols: of the alphabet that they are written in; "" if it is not known.
    """

    text: str
    unigrams: npt.NDArray[np.float32]
    log_probs: CodeBook
    backoffs: CodeBook
    table: NgramTable
    source: Path | None = None
    language: str = ""
    symbols: str = ""

    @property
    def order(self) -> int:
        """Words of the longest n-grams."""
        return len(self.log_probs) + 1

    @property
    def size(self) -> int:
        """Number of words that can be said."""
        return len(self.unigrams) - MARKS

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Marks and words by their numbers."""
        return tuple(self.text.split(WORD_END)[:-1])

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Word -> number."""
        return {word: number for number, word in enumerate(self.words)}

    @cached_property
    def _books(self) -> Ints:
        """(order - 1, 1) where the code book of each length begins."""
        return np.arange(self.order - 1)[:, None] << CODE_BITS

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words that can be said."""
        return self.words[MARKS:]

    def start(self) -> History:
        """Of one text that begins."""
        words = np.full((self.order - 1, 1), _NONE)
        backoffs = np.full((self.order - 1, 1), np.nan)
        words[0], backoffs[0] = START, self.unigrams[START, 1]
        return History(words, backoffs)

    def score(self, history: History, words: Ints) -> tuple[Floats, History]:
        """Log P(word | the words before it), natural, of many at once, and what comes after.

        Args:
            history: of n texts.
            words: (n,) number of the word that follows in each.
        """
        hashes = np.empty(history.words.shape, dtype=np.uint64)
        last = hash_words(words)
        for length, before in enumerate(history.words):
            last = hashes[length] = extend_hashes(last, before)
        found, log_codes, backoff_codes = self.table.lookup(hashes)
        known = ~np.isnan(history.backoffs)
        found &= known
        weights = np.where(known, history.backoffs, 0.0)
        longer = self.log_probs.take(log_codes + self._books)
        scores, shortest = self.unigrams.take(words, axis=0).T.astype(np.float64)
        for length, there in enumerate(found):
            scores = np.where(there, longer[length], scores + weights[length])
        after = History(np.empty_like(history.words), np.empty_like(history.backoffs))
        after.words[0], after.words[1:] = words, history.words[:-1]
        backoffs = self.backoffs.take(backoff_codes[:-1] + self._books[:-1])
        after.backoffs[0] = shortest
        after.backoffs[1:] = np.where(found[:-1], backoffs, np.nan)
        return scores, after

    def log_prob(self, words: Sequence[str]) -> float:
        """Log P(words and the sentence's end | its start); words not known count as <unk>."""
        history, total = self.start(), 0.0
        for number in [*(self.numbers.get(word, UNKNOWN) for word in words), END]:
            score, history = self.score(history, np.array([number]))
            total += float(score[0])
        return total

    def save(self, path: Path) -> None:
        """Write an .npz whose arrays are not compressed, so that they can be mapped."""
        arrays = {
            "format": np.array(_FORMAT),
            "words": np.frombuffer(self.text.encode(), dtype=np.uint8),
            "unigrams": self.unigrams.astype(np.float16),
            "log_probs": self.log_probs,
            "backoffs": self.backoffs,
            "segment_bits": np.array(self.table.segment_bits),
            "cells": self.table.cells,
            "language": np.array(self.language),
            "symbols": np.array(list(self.symbols), dtype=np.str_),
        }
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> "NgramModel":
        """Map what `save` wrote.

        Raises:
            ModelFileError: if the file is missing, damaged or something else.
        """
        path = Path(path)
        if not path.is_file():
            raise ModelFileError(f"expected a language model, got {path}, which does not exist")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                if int(arrays["format"]) != _FORMAT:
                    raise ModelFileError(
                        f"{path}: expected format {_FORMAT}, got {arrays['format']}: "
                        "estimate it again with python -m training lm"
                    )
                return cls._from_arrays(arrays, path)
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise ModelFileError(f"{path}: expected a language model: {error}") from error

    @classmethod
    def _from_arrays(cls, arrays: Any, path: Path) -> "NgramModel":  # noqa: ANN401 - numpy's
        if (damaged := arrays.zip.testzip()) is not None:
            raise ValueError(f"{damaged} is damaged")
        text, unigrams = arrays["words"].tobytes().decode(), arrays["unigrams"].astype(np.float32)
        if unigrams.shape != (text.count(WORD_END), 2):
            raise ValueError(f"{text.count(WORD_END)} words and numbers of shape {unigrams.shape}")
        return cls(
            text,
            unigrams,
            arrays["log_probs"],
            arrays["backoffs"],
            NgramTable(_mapped(path, arrays.zip.getinfo("cells.npy")), int(arrays["segment_bits"])),
            path.resolve(),
            *("".join(arrays[name].ravel()) if name in arrays else "" for name in _MARKS),
        )

    def __reduce__(self) -> tuple[Callable[..., "NgramModel"], tuple[Any, ...]]:
        """Another process maps the same file, rather than get a copy of what is in it."""
        if self.source is not None:
            return NgramModel.load, (self.source,)
        arrays = self.text, self.unigrams, self.log_probs, self.backoffs, self.table
        return NgramModel, (*arrays, None, self.language, self.symbols)


def build_model(
    words: Sequence[str], unigrams: npt.NDArray[np.float32], ngrams: Sequence[Ngrams]
) -> NgramModel:
    """Pack a model.

    Args:
        words: the vocabulary without the marks, no word twice.
        unigrams: (marks and words, 2) log probability and back-off weight.
        ngrams: of two words, of three, and so on. Each is there without its last word, too.
    """
    hashes, codes, books = [], [], []
    for level in ngrams or [Ngrams(np.zeros((0, 2), np.int64), np.zeros(0), np.zeros(0))]:
        reached = hash_words(level.words[:, -1])
        for before in level.words[:, -2::-1].T:
            reached = extend_hashes(reached, before)
        hashes.append(reached)
        quantized = [quantize(level.log_probs), quantize(level.backoffs)]
        books.append([book for book, _ in quantized])
        codes.append([code for _, code in quantized])
    log_codes, backoff_codes = (np.concatenate(each) for each in zip(*codes, strict=True))
    log_books, backoff_books = (np.stack(each) for each in zip(*books, strict=True))
    text = "".join(f"{word}{WORD_END}" for word in (*NAMES, *words))
    table = build_table(np.concatenate(hashes), log_codes, backoff_codes)
    return NgramModel(text, unigrams.astype(np.float32), log_books, backoff_books, table)


def quantize(values: Floats) -> tuple[CodeBook, Codes]:
    """A book of 64 values, 0 among them, and the code of the nearest one for each of `values`."""
    wanted, size = np.sort(values[values != 0]), (1 << CODE_BITS) - 1
    centers = np.unique(wanted)
    if centers.size > size:
        centers = _cluster(wanted, np.unique(np.quantile(wanted, (np.arange(size) + 0.5) / size)))
    book: CodeBook = np.zeros(size + 1, dtype=np.float32)
    book[: centers.size] = centers
    book.sort()
    return book, np.searchsorted((book[1:] + book[:-1]) / 2, values).astype(np.int64)


def _cluster(values: Floats, centers: Floats) -> Floats:
    """Lloyd's algorithm (1982) on sorted values: each center is the mean of what is nearest."""
    sums = np.append(0.0, np.cumsum(values))
    for _ in range(_ROUNDS):
        edges = np.searchsorted(values, (centers[1:] + centers[:-1]) / 2)
        edges = np.concatenate(([0], edges, [values.size]))
        counts = np.diff(edges)
        centers = (np.diff(sums[edges]) / np.maximum(counts, 1))[counts > 0]
    return centers


def _mapped(path: Path, member: zipfile.ZipInfo) -> Cells:
    """An array that lies in an archive as it is."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"expected {member.filename} without compression")
    with path.open("rb") as file:
        file.seek(member.header_offset)
        name, extra = struct.unpack_from("<HH", file.read(_MEMBER_HEADER), _MEMBER_HEADER - 4)
        file.seek(name + extra, os.SEEK_CUR)
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        return np.asarray(np.memmap(path, dtype, "r", file.tell(), shape))
