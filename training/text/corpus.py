"""Texts -> numbers of words, sentence after sentence, one source at a time."""

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Ints
from otoscope.decoding.ngram import END, MARKS, START, UNKNOWN

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Source:
    """Sentences of one origin.

    Attributes:
        name: for reports.
        tokens: START, the words' numbers and END of one sentence after another.
    """

    name: str
    tokens: Tokens

    @property
    def words(self) -> int:
        """Running words."""
        return self.tokens.size - 2 * self.sentences

    @property
    def sentences(self) -> int:
        """How many there are."""
        return int(np.count_nonzero(self.tokens == END))

    def renumbered(self, numbers: npt.NDArray[np.int32]) -> "Source":
        """The same with other numbers: `numbers[old]`."""
        return Source(self.name, numbers[self.tokens])


class _Numbers(dict[str, int]):
    """Words -> numbers in the order of their first use, after the marks."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self) + MARKS
        return number


def read_sources(
    texts: Mapping[str, Iterable[str]],
    *,
    min_count: int,
    most: int,
    always: Collection[str] = (),
) -> tuple[tuple[str, ...], list[Source]]:
    """Number the words of all sources.

    Args:
        texts: name of a source -> its sentences, words parted by spaces.
        min_count: words that all sources together hold less often are unknown words.
        most: so many words are known at most, the most frequent ones.
        always: sources whose words are known however rare they are.

    Returns:
        The words that are known in alphabetical order, whose numbers follow the marks', and the
        sources.
    """
    numbers = _Numbers()
    sources = []
    for name, sentences in texts.items():
        tokens = array("i")
        for sentence in sentences:
            tokens.append(START)
            tokens.extend(map(numbers.__getitem__, sentence.split()))
            tokens.append(END)
        sources.append(Source(name, np.frombuffer(tokens, dtype=np.int32)))
    wanted = [source for source in sources if source.name in always]
    known, renumbering = _choose(list(numbers), sources, wanted, min_count, most)
    return known, [source.renumbered(renumbering) for source in sources]


def _choose(
    words: Sequence[str],
    sources: Sequence[Source],
    wanted: Sequence[Source],
    min_count: int,
    most: int,
) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    size = len(words) + MARKS
    counts: Ints = np.zeros(size, dtype=np.int64)
    for source in sources:
        counts += np.bincount(source.tokens, minlength=size)
    counts[counts < min_count] = 0
    for source in wanted:
        counts[source.tokens] = np.iinfo(np.int64).max
    frequent = np.flatnonzero(counts[MARKS:])
    frequent = frequent[np.argsort(-counts[MARKS:][frequent], kind="stable")[:most]]
    known = sorted((words[place], place) for place in frequent.tolist())
    renumbering = np.full(size, UNKNOWN, dtype=np.int32)
    renumbering[[START, END]] = START, END
    renumbering[[MARKS + place for _, place in known]] = np.arange(MARKS, MARKS + len(known))
    return tuple(word for word, _ in known), renumbering


def encode(sentences: Iterable[str], words: Sequence[str]) -> Tokens:
    """Tokens of sentences by words that are known already, others unknown."""
    numbers = {word: number for number, word in enumerate(words, MARKS)}
    tokens = [
        number
        for sentence in sentences
        for number in (START, *(numbers.get(word, UNKNOWN) for word in sentence.split()), END)
    ]
    return np.array(tokens, dtype=np.int32)
