"""What is known of each n-gram, in a table that does not hold the n-grams themselves.

A Bloomier filter (Talbot and Brants 2008, "Randomized language models via perfect hash functions"):
an n-gram is hashed to three cells, whose exclusive or is its value and a fingerprint of it. Values
are two codes of 6 bits, of its log probability and its back-off weight; with a fingerprint of 12
bits an n-gram takes 3.4 bytes. One that is not in the table is taken for one that is with a
probability of 2^-12. Cells are laid out as those of binary fuse filters (Graf and Lemire 2022):
three neighbouring segments of few cells, so that a table 1.13 times as large as its n-grams does.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Bools, Ints

Hashes = npt.NDArray[np.uint64]
Cells = npt.NDArray[np.uint8]
Codes = Ints

CODE_BITS = 6
_FINGERPRINT_BITS = 12
_FINGERPRINT, _CODE = (1 << _FINGERPRINT_BITS) - 1, (1 << CODE_BITS) - 1
_BACKOFF_SHIFT = _FINGERPRINT_BITS + CODE_BITS
_CELL_BYTES = 3
_SPAN = 3
"""Cells of an n-gram, and segments that they lie in."""

_MOST_SEGMENT_BITS = 18
_NTH = np.arange(_SPAN, dtype=np.uint64)[:, None]
_SHIFTS = 64 - _MOST_SEGMENT_BITS * (_NTH + 1)
_TRIES = 50
_HALF = np.uint64(32)
# 64 bits of the golden ratio and of the square root of 3 after the point, made odd.
_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)


def extend_hashes(hashes: Hashes | np.uint64, words: Ints) -> Hashes:
    """Hashes of n-grams with one more word each, whose order matters."""
    mixed: Hashes = hashes ^ words.view(np.uint64)
    mixed *= _FIRST
    mixed ^= mixed >> _HALF
    return mixed


def hash_words(words: Ints) -> Hashes:
    """Hashes of single words, by their numbers."""
    return extend_hashes(_SECOND, words)


@dataclass(frozen=True)
class NgramTable:
    """Codes of n-grams by their hashes.

    Attributes:
        cells: (cells, 3) uint8, may be mapped from a file.
        segment_bits: a segment has 2^segment_bits cells.
    """

    cells: Cells
    segment_bits: int

    def lookup(self, hashes: Hashes) -> tuple[Bools, Codes, Codes]:
        """Whether n-grams are in the table, and their codes, arrays of the hashes' shape."""
        places, fingerprints = _places(hashes.ravel(), self.segment_bits, len(self.cells))
        first, second, third = self.cells.take(places, axis=0)
        packed = np.zeros((hashes.size, 4), dtype=np.uint8)
        np.bitwise_xor(first ^ second, third, out=packed[:, :_CELL_BYTES])
        values = packed.view("<u4")[:, 0].astype(np.int64).reshape(hashes.shape)
        found = values & _FINGERPRINT == fingerprints.reshape(hashes.shape)
        return found, values >> _FINGERPRINT_BITS & _CODE, values >> _BACKOFF_SHIFT


def build_table(hashes: Hashes, log_probs: Codes, backoffs: Codes) -> NgramTable:
    """A table of n-grams, (n,) each.

    Raises:
        ValueError: if two n-grams have the same hash.
    """
    if np.unique(hashes).size != hashes.size:
        raise ValueError("expected different n-grams")
    bits, cells = _layout(hashes.size)
    for _ in range(_TRIES):
        places, fingerprints = _places(hashes, bits, cells)
        rounds = _peel(places, cells)
        if sum(keys.size for keys, _ in rounds) == hashes.size:
            packed = fingerprints | log_probs << _FINGERPRINT_BITS | backoffs << _BACKOFF_SHIFT
            return NgramTable(_fill(rounds, places, packed, cells), bits)
        cells += max(cells >> bits >> 6, 1) << bits
    raise ValueError(f"no order of {hashes.size} n-grams was found")


def table_bytes(size: int) -> int:
    """Size of a table of so many n-grams."""
    return _layout(size)[1] * _CELL_BYTES


def _layout(size: int) -> tuple[int, int]:
    """Bits of a segment and number of cells, as in the authors' implementation."""
    bits = int(math.log(max(size, 2)) / math.log(3.33) + 2.25)
    bits = min(bits, _MOST_SEGMENT_BITS)
    factor = max(1.125, 0.875 + 0.25 * math.log(1e6) / math.log(max(size, 2)))
    segments = max(math.ceil(size * factor / 2**bits), _SPAN)
    return bits, (segments + 1) << bits


def _places(hashes: Hashes, bits: int, cells: int) -> tuple[Ints, Codes]:
    """The three cells of each n-gram, (3, n) int64, and its fingerprint, (n,)."""
    segments = (hashes >> _HALF) * np.uint64((cells >> bits) - _SPAN + 1) >> _HALF
    places = hashes * _SECOND >> _SHIFTS
    places &= np.uint64((1 << bits) - 1)
    places += (segments + _NTH) << np.uint64(bits)
    return places.view(np.int64), hashes.view(np.int64) & _FINGERPRINT


def _peel(places: Ints, cells: int) -> list[tuple[Ints, Ints]]:
    """Rounds of n-grams and a cell of each that no later n-gram has; not all if that can't be."""
    size = places.shape[1]
    left = np.bincount(places.ravel(), minlength=cells)
    # The sum of the numbers of a cell's n-grams is the number of the last one that is left.
    sums = np.zeros(cells, dtype=np.int64)
    for row in places:
        np.add.at(sums, row, np.arange(size))
    rounds = []
    single = np.flatnonzero(left == 1)
    while single.size:
        keys, first = np.unique(sums[single], return_index=True)
        rounds.append((keys, single[first]))
        touched = places[:, keys]
        np.subtract.at(left, touched, 1)
        np.subtract.at(sums, touched, np.broadcast_to(keys, touched.shape))
        near = np.unique(touched)
        single = near[left[near] == 1]
    return rounds


def _fill(rounds: list[tuple[Ints, Ints]], places: Ints, packed: Codes, cells: int) -> Cells:
    """Cells whose exclusive or is each n-gram's value: those that were peeled last come first."""
    values = np.zeros(cells, dtype="<u4")
    for keys, own in reversed(rounds):
        values[own] = packed[keys] ^ np.bitwise_xor.reduce(values[places[:, keys]], axis=0)
    return values.view(np.uint8).reshape(-1, 4)[:, :_CELL_BYTES].copy()
