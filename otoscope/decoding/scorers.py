"""What the search believes of a text besides its sound: words, their order, their number.

A scorer walks along with many growing texts at once, one symbol a step, and says at every step what
to add to their acoustic scores: `context` while they may go on, `finish` once they are whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from otoscope.decoding.lexicon import OUTSIDE, ROOT, Lexicon, build_lexicon
from otoscope.decoding.ngram import END, UNKNOWN, NgramModel
from otoscope.vocabulary import Alphabet

SPACE = " "

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_NODE, _BEFORE, _LAST, _IN_WORD = range(4)
_LM, _BONUS, CONTEXT = range(3)


@dataclass(frozen=True)
class Weights:
    """How much each part counts.

    Attributes:
        lm: of the language model's natural log probability.
        word_bonus: added for each word.
        unknown_penalty: taken off for each word outside the vocabulary.
    """

    lm: float
    word_bonus: float
    unknown_penalty: float


class Partials:
    """What a scorer knows of unfinished texts, one a column.

    Attributes:
        numbers: (4, texts) int64: the node in the lexicon of the letters since the last space, the
            word before the last one and the last one as the language model numbers them, and
            whether the text ends in a word that may go on.
        values: (3, texts) float64, natural logs: the language model's log probability of the words
            that are whole, their bonuses and penalties, and the context.
    """

    __slots__ = ("numbers", "values")

    def __init__(self, numbers: Ints, values: Floats) -> None:
        self.numbers = numbers
        self.values = values

    @property
    def context(self) -> Floats:
        """What to add to each text's acoustic score, (texts,) natural log."""
        context: Floats = self.values[CONTEXT]
        return context

    def take(self, places: Ints) -> "Partials":
        """Those at `places`, in that order."""
        return Partials(self.numbers.take(places, axis=1), self.values.take(places, axis=1))

    def join(self, others: "Partials") -> "Partials":
        """These and then the others."""
        return Partials(
            np.concatenate([self.numbers, others.numbers], axis=1),
            np.concatenate([self.values, others.values], axis=1),
        )


class Scorer(Protocol):
    """Judges texts as they grow."""

    def start(self) -> Partials:
        """Of the empty text."""

    def allows(self, partials: Partials, places: Ints, labels: Ints) -> npt.NDArray[np.bool_]:
        """Whether the texts at `places` may go on with `labels`.

        No space may stand at the start, and none be doubled.
        """

    def extend(self, partials: Partials, labels: Ints) -> Partials:
        """Of each text with its symbol at the end, where `allows` says so."""

    def finish(self, partials: Partials) -> tuple[Floats, Floats]:
        """Language model's log probability and bonus of each text as a whole."""


class LetterScorer:
    """No language model: words only count."""

    def __init__(self, alphabet: Alphabet, weights: Weights) -> None:
        self._space = _space(alphabet)
        self._word_bonus = weights.word_bonus

    def start(self) -> Partials:
        """Of the empty text."""
        return Partials(np.zeros((4, 1), dtype=np.int64), np.zeros((3, 1)))

    def allows(self, partials: Partials, places: Ints, labels: Ints) -> npt.NDArray[np.bool_]:
        """No space at the start, and none doubled."""
        return _allows(partials, places, labels, self._space)

    def extend(self, partials: Partials, labels: Ints) -> Partials:
        """A space closes a word."""
        closed = labels == self._space
        numbers, values = partials.numbers.copy(), partials.values.copy()
        numbers[_IN_WORD] = ~closed
        values[_BONUS] += self._word_bonus * closed
        values[CONTEXT] = values[_BONUS]
        return Partials(numbers, values)

    def finish(self, partials: Partials) -> tuple[Floats, Floats]:
        """The last word counts too."""
        bonus = partials.values[_BONUS] + self._word_bonus * partials.numbers[_IN_WORD]
        return np.zeros_like(bonus), bonus


class LanguageModel:
    """An n-gram model and the lexicon of its words in an alphabet. Shared between threads."""

    def __init__(self, ngrams: NgramModel, alphabet: Alphabet) -> None:
        self.ngrams = ngrams
        self.unknown = ngrams.numbers[UNKNOWN]
        self.end = ngrams.numbers[END]
        letters = set(alphabet.symbols) - {SPACE}
        numbers = [ngrams.numbers[word] for word in ngrams.vocabulary if letters.issuperset(word)]
        self.lexicon: Lexicon = build_lexicon(
            [alphabet.encode(ngrams.words[number]).tolist() for number in numbers],
            numbers,
            ngrams.unigrams[:, 0],
            classes=alphabet.size,
            unknown=self.unknown,
        )


class WordScorer:
    """A word n-gram model over a lexicon that words may leave.

    Letters of a word that the lexicon does not have may go on: the word then counts as unknown and
    costs `unknown_penalty` besides. Until a word is whole, the best unigram that its letters can
    still become stands in for it.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        weights: Weights,
        model: LanguageModel,
        words: Sequence[str] = (),
    ) -> None:
        """Walk `model`'s lexicon, and `words` besides, in the alphabet's symbols."""
        self._space = _space(alphabet)
        self._weights = weights
        self._model = model
        self._lexicon = model.lexicon
        if words:
            spellings = [alphabet.encode(word).tolist() for word in words]
            self._lexicon = model.lexicon.with_words(spellings)
        self._look_ahead = weights.lm * self._lexicon.look_ahead
        self._look_ahead[OUTSIDE] -= weights.unknown_penalty

    def start(self) -> Partials:
        """Of the empty text."""
        numbers = [[ROOT], *([word] for word in self._model.ngrams.start()), [0]]
        return Partials(np.array(numbers, dtype=np.int64), np.zeros((3, 1)))

    def allows(self, partials: Partials, places: Ints, labels: Ints) -> npt.NDArray[np.bool_]:
        """No space at the start, and none doubled."""
        return _allows(partials, places, labels, self._space)

    def extend(self, partials: Partials, labels: Ints) -> Partials:
        """A letter walks down the lexicon; a space closes a word."""
        numbers, values = partials.numbers.copy(), partials.values.copy()
        numbers[_NODE] = self._lexicon.step(numbers[_NODE], labels)
        numbers[_IN_WORD] = 1
        closed = np.flatnonzero(labels == self._space)
        if closed.size:
            whole = self._close(partials.take(closed))
            numbers[:, closed], values[:, closed] = whole.numbers, whole.values
        base = self._weights.lm * values[_LM] + values[_BONUS]
        values[CONTEXT] = base + self._look_ahead[numbers[_NODE]]
        return Partials(numbers, values)

    def finish(self, partials: Partials) -> tuple[Floats, Floats]:
        """The last word is closed and the sentence ends; where nothing is said, there is none."""
        numbers, values = partials.numbers.copy(), partials.values.copy()
        open_words = np.flatnonzero(numbers[_IN_WORD])
        whole = self._close(partials.take(open_words))
        numbers[:, open_words], values[:, open_words] = whole.numbers, whole.values
        end = np.full(numbers.shape[1], self._model.end)
        ending = self._model.ngrams.score(numbers[_BEFORE], numbers[_LAST], end)
        said = numbers[_LAST] != self._model.ngrams.start()[1]
        return values[_LM] + np.where(said, ending, 0.0), values[_BONUS]

    def _close(self, partials: Partials) -> Partials:
        """The word at each text's end is whole."""
        numbers, values = partials.numbers, partials.values
        words = self._lexicon.words[numbers[_NODE]]
        values[_LM] += self._model.ngrams.score(numbers[_BEFORE], numbers[_LAST], words)
        values[_BONUS] += self._weights.word_bonus
        values[_BONUS] -= self._weights.unknown_penalty * ~self._lexicon.ends[numbers[_NODE]]
        numbers[_BEFORE], numbers[_LAST] = numbers[_LAST], words
        numbers[_NODE], numbers[_IN_WORD] = ROOT, 0
        return partials


def _space(alphabet: Alphabet) -> int:
    """Class of the space; of none if the alphabet has no words."""
    return alphabet.symbols.index(SPACE) if SPACE in alphabet.symbols else -1


def _allows(partials: Partials, places: Ints, labels: Ints, space: int) -> npt.NDArray[np.bool_]:
    """Where a symbol is a letter, or a space after a letter, (places,)."""
    in_word = partials.numbers[_IN_WORD].take(places) > 0
    allowed: npt.NDArray[np.bool_] = (labels != space) | in_word
    return allowed
