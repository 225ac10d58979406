"""What a search knows of a text besides its sound: words, their order, their number.

A scorer walks along with many growing texts at once, one symbol a step, and says at every step what
to add to their acoustic scores: `context` while they may go on, `finish` once they are whole. What
it knows of them is a state: a tuple of arrays, and of further states, with an entry a text.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from otoscope.arrays import Bools, Floats, Ints
from otoscope.decoding.lexicon import OUTSIDE, ROOT, build_lexicon, space_of
from otoscope.decoding.ngram import END, NgramModel
from otoscope.decoding.options import BeamOptions
from otoscope.vocabulary import Alphabet

State = TypeVar("State", bound=tuple[Any, ...])


def take(state: State, places: Ints) -> State:
    """The texts at `places`, in that order."""
    return type(state)(
        *[take(each, places) if isinstance(each, tuple) else each.take(places) for each in state]
    )


def join(state: State, others: State) -> State:
    """The texts of one and then those of the other."""
    return type(state)(
        *[
            join(one, other) if isinstance(one, tuple) else np.concatenate((one, other))
            for one, other in zip(state, others, strict=True)
        ]
    )


class Scorer(Protocol[State]):
    """Scores texts as they grow. Its state has a `context`, (texts,) natural log."""

    def start(self) -> State:
        """Of the empty text."""

    def extend(self, state: State, labels: Ints) -> State:
        """Of each text with its symbol at the end; a space only after a character."""

    def finish(self, state: State) -> tuple[Floats, Floats]:
        """Language model's log probability and bonus of each text as a whole."""


class CharacterState(NamedTuple):
    """What is known of unfinished texts without a language model, (texts,) each.

    Attributes:
        in_word: whether the text ends in a word that may go on.
        context: what to add to its acoustic score: the bonuses of the words that are whole.
    """

    in_word: Bools
    context: Floats


class CharacterScorer:
    """No language model: words only count."""

    def __init__(self, alphabet: Alphabet, options: BeamOptions) -> None:
        self._space = space_of(alphabet)
        self._word_bonus = options.word_bonus

    def start(self) -> CharacterState:
        return CharacterState(np.zeros(1, dtype=np.bool_), np.zeros(1))

    def extend(self, state: CharacterState, labels: Ints) -> CharacterState:
        closed = labels == self._space
        return CharacterState(~closed, state.context + self._word_bonus * closed)

    def finish(self, state: CharacterState) -> tuple[Floats, Floats]:
        bonus = state.context + self._word_bonus * state.in_word
        return np.zeros_like(bonus), bonus


class LanguageModel:
    """An n-gram model and the lexicon of its words in an alphabet. Shared between threads."""

    def __init__(self, ngrams: NgramModel, alphabet: Alphabet) -> None:
        self.ngrams = ngrams
        self.lexicon = build_lexicon(ngrams, alphabet)


class WordState(NamedTuple):
    """What is known of unfinished texts with a language model, (texts,) each.

    Attributes:
        node: in the lexicon, of the characters since the last space.
        previous, last: the last two words that are whole, as the language model numbers them.
        lm: natural log probability of the words that are whole.
        bonus: their bonuses and penalties.
        context: what to add to the text's acoustic score.
    """

    node: Ints
    previous: Ints
    last: Ints
    lm: Floats
    bonus: Floats
    context: Floats


class WordScorer:
    """A word n-gram model over a lexicon that words may leave.

    Characters of a word that the lexicon does not have may go on: the word then counts as unknown
    and costs `unknown_penalty` besides. Until a word is whole, the best unigram that its characters
    can still become stands in for it.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        options: BeamOptions,
        model: LanguageModel,
        words: Sequence[str] = (),
    ) -> None:
        """Walk `model`'s lexicon, and `words` besides, in the alphabet's symbols."""
        self._space = space_of(alphabet)
        self._options = options
        self._model = model
        self._lexicon = model.lexicon
        if words:
            self._lexicon = model.lexicon.with_words([alphabet.encode(word) for word in words])
        self._look_ahead = options.lm_weight * self._lexicon.look_ahead
        self._look_ahead[OUTSIDE] -= options.unknown_penalty

    def start(self) -> WordState:
        previous, last = self._model.ngrams.start()
        zero = np.zeros(1)
        return WordState(np.array([ROOT]), np.array([previous]), np.array([last]), zero, zero, zero)

    def extend(self, state: WordState, labels: Ints) -> WordState:
        node = self._lexicon.trie[state.node, labels].astype(np.int64)
        grown = state._replace(node=node)
        closed = np.flatnonzero(labels == self._space)
        if closed.size:
            grown = self._close(grown, closed, state.node[closed])
        context = self._options.lm_weight * grown.lm + grown.bonus + self._look_ahead[grown.node]
        return grown._replace(context=context)

    def finish(self, state: WordState) -> tuple[Floats, Floats]:
        """The last word is closed and the sentence ends; where nothing is said, there is none."""
        in_word = np.flatnonzero(state.node != ROOT)
        whole = self._close(state, in_word, state.node[in_word])
        end = np.full(whole.last.size, self._model.ngrams.numbers[END])
        ending = self._model.ngrams.score(whole.previous, whole.last, end)
        said = whole.last != self._model.ngrams.start()[1]
        return whole.lm + np.where(said, ending, 0.0), whole.bonus

    def _close(self, state: WordState, places: Ints, nodes: Ints) -> WordState:
        """`state` where the words of the texts at `places`, which end at `nodes`, are whole."""
        node, previous, last = state.node.copy(), state.previous.copy(), state.last.copy()
        lm, bonus = state.lm.copy(), state.bonus.copy()
        words = self._lexicon.words[nodes].astype(np.int64)
        lm[places] += self._model.ngrams.score(previous[places], last[places], words)
        bonus[places] += self._options.word_bonus
        bonus[places] -= self._options.unknown_penalty * ~self._lexicon.ends[nodes]
        previous[places], last[places], node[places] = last[places], words, ROOT
        return WordState(node, previous, last, lm, bonus, state.context)
