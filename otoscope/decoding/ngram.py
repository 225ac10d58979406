"""A word n-gram language model with back-off, up to trigrams, in sorted arrays.

P(w | u, v) is the trigram's own probability where the model has it, else the back-off weight of
(u, v) times P(w | v), and so on (Katz 1987; the ARPA form). Sorted keys and binary search keep a
million n-grams in a few megabytes, load in a fraction of a second, and need no compiled package.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Bools, Floats, Ints
from otoscope.errors import ModelFileError

START, END, UNKNOWN = "<s>", "</s>", "<unk>"


_NONE = -1
_FORMAT = 1
_NEVER = -99.0


@dataclass(frozen=True)
class NgramModel:
    """P(word | two words before), natural logarithms.

    Attributes:
        words: the vocabulary with <s>, </s> and <unk>; a word's number is its place.
        unigrams: (words, 2) float32, log probability and back-off weight.
        bigram_keys: (bigrams,) int64, sorted, first * words + second.
        bigrams: (bigrams, 2) float32, log probability and back-off weight.
        trigram_keys: (trigrams,) int64, sorted, place of the first two's bigram * words + third.
        trigrams: (trigrams,) float32, log probability.
    """

    words: tuple[str, ...]
    unigrams: npt.NDArray[np.float32]
    bigram_keys: Ints
    bigrams: npt.NDArray[np.float32]
    trigram_keys: Ints
    trigrams: npt.NDArray[np.float32]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Word -> number."""
        return {word: number for number, word in enumerate(self.words)}

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words that can be said."""
        return tuple(word for word in self.words if word not in (START, END, UNKNOWN))

    def start(self) -> tuple[int, int]:
        """The two words before the first word of a sentence: none, and <s>."""
        return _NONE, self.numbers[START]

    def score(self, before: Ints, last: Ints, words: Ints) -> Floats:
        """Log P(word | the two words before it), natural, of many at once.

        Args:
            before: (n,) number of the word before the last one; below 0 for none.
            last: (n,) number of the last word.
            words: (n,) number of the word that follows.
        """
        size = len(self.words)
        pairs, has_pair = _find(self.bigram_keys, before * size + last)
        triples, has_triple = _find(self.trigram_keys, pairs * size + words)
        nexts, has_next = _find(self.bigram_keys, last * size + words)
        scores: Floats = (self.unigrams[last, 1] + self.unigrams[words, 0]).astype(np.float64)
        scores[has_next] = self.bigrams[nexts[has_next], 0]
        scores[has_pair] += self.bigrams[pairs[has_pair], 1]
        has_triple &= has_pair
        scores[has_triple] = self.trigrams[triples[has_triple]]
        return scores

    def log_prob(self, words: list[str]) -> float:
        """Log P(words and the sentence's end | its start); words not known count as <unk>."""
        unknown = self.numbers[UNKNOWN]
        spoken = [self.numbers.get(word, unknown) for word in words]
        numbers = np.array([*self.start(), *spoken, self.numbers[END]], dtype=np.int64)
        return float(self.score(numbers[:-2], numbers[1:-1], numbers[2:]).sum())

    def save(self, path: Path) -> None:
        """Write a compressed .npz: keys as differences, numbers as float16."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                format=np.array(_FORMAT),
                words=np.frombuffer("\n".join(self.words).encode(), dtype=np.uint8),
                unigrams=self.unigrams.astype(np.float16),
                bigram_steps=_steps(self.bigram_keys),
                bigrams=self.bigrams.astype(np.float16),
                trigram_steps=_steps(self.trigram_keys),
                trigrams=self.trigrams.astype(np.float16),
            )

    @classmethod
    def load(cls, path: str | Path) -> "NgramModel":
        """Read what `save` wrote.

        Raises:
            ModelFileError: if the file is missing or something else.
        """
        if not Path(path).is_file():
            raise ModelFileError(f"expected a language model, got {path}, which does not exist")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls._from_arrays(arrays, path)
        except (ValueError, KeyError, OSError, BadZipFile) as error:
            raise ModelFileError(f"{path}: expected a language model: {error}") from error

    @classmethod
    def _from_arrays(cls, arrays: Any, path: str | Path) -> "NgramModel":  # noqa: ANN401 - numpy's
        if int(arrays["format"]) != _FORMAT:
            raise ModelFileError(f"{path}: expected format {_FORMAT}, got {arrays['format']}")
        return cls(
            words=tuple(arrays["words"].tobytes().decode().split("\n")),
            unigrams=arrays["unigrams"].astype(np.float32),
            bigram_keys=np.cumsum(arrays["bigram_steps"], dtype=np.int64),
            bigrams=arrays["bigrams"].astype(np.float32),
            trigram_keys=np.cumsum(arrays["trigram_steps"], dtype=np.int64),
            trigrams=arrays["trigrams"].astype(np.float32),
        )


def _find(keys: Ints, wanted: Ints) -> tuple[Ints, Bools]:
    """Places of `wanted` in the sorted `keys`, and whether they are there."""
    if not keys.size:
        return np.zeros(wanted.size, dtype=np.int64), np.zeros(wanted.size, dtype=np.bool_)
    places = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return places, keys[places] == wanted


def from_arpa(path: Path) -> NgramModel:
    """Read an ARPA file of order 1 to 3; n-grams whose parts are missing are left out.

    Raises:
        ModelFileError: on a line that is none.
    """
    sections: dict[int, list[list[str]]] = {1: [], 2: [], 3: []}
    order = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.endswith("-grams:") and line.startswith("\\"):
            order = int(line[1:-7])
        elif order and line and not line.startswith("\\"):
            fields = line.split()
            if len(fields) not in (order + 1, order + 2) or order not in sections:
                raise ModelFileError(f"{path}:{number}: expected a {order}-gram, got {line!r}")
            sections[order].append(fields)
    return _from_sections(sections)


def _from_sections(sections: dict[int, list[list[str]]]) -> NgramModel:
    rows = {fields[1]: _numbers(fields, 1) for fields in sections[1]}
    for mark in (START, END, UNKNOWN):
        rows.setdefault(mark, (_NEVER, 0.0))
    words = tuple(sorted(rows))
    index = {word: number for number, word in enumerate(words)}
    size = len(words)
    pairs = sorted(
        (index[fields[1]] * size + index[fields[2]], *_numbers(fields, 2))
        for fields in sections[2]
        if fields[1] in index and fields[2] in index
    )
    bigram_keys = np.array([pair[0] for pair in pairs], dtype=np.int64)
    places = {int(key): place for place, key in enumerate(bigram_keys)}
    triples = sorted(
        (places[pair] * size + index[fields[3]], _numbers(fields, 3)[0])
        for fields in sections[3]
        if fields[3] in index
        and (pair := index.get(fields[1], -1) * size + index.get(fields[2], -1)) in places
    )
    return NgramModel(
        words=words,
        unigrams=np.array([rows[word] for word in words], dtype=np.float32),
        bigram_keys=bigram_keys,
        bigrams=np.array([pair[1:] for pair in pairs], dtype=np.float32).reshape(-1, 2),
        trigram_keys=np.array([triple[0] for triple in triples], dtype=np.int64),
        trigrams=np.array([triple[1] for triple in triples], dtype=np.float32),
    )


def _numbers(fields: list[str], order: int) -> tuple[float, float]:
    """Natural log probability and back-off weight of an ARPA line, whose logs are to base 10."""
    backoff = float(fields[order + 1]) if len(fields) > order + 1 else 0.0
    return float(fields[0]) * float(np.log(10)), backoff * float(np.log(10))


def _steps(keys: Ints) -> Ints:
    return np.diff(keys, prepend=0)
