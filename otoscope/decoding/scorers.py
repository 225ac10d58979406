"""What a search knows of a text besides its sound: words, their order, their number.

A scorer walks along with many growing texts at once, one symbol a step, and says at every step what
to add to their acoustic scores: `context` while they may go on, `finish` once they are whole. What
it knows of them is a state: a tuple of arrays, whose last axis is the texts, and of further states.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from otoscope.arrays import Bools, Floats, Ints
from otoscope.decoding.lexicon import build_lexicon, space_of
from otoscope.decoding.ngram import END, START, History, NgramModel
from otoscope.decoding.options import BeamOptions
from otoscope.decoding.trie import OUTSIDE, ROOT
from otoscope.vocabulary import Alphabet

State = TypeVar("State", bound=tuple[Any, ...])


def take(state: State, places: Ints) -> State:
    """The texts at `places`, in that order."""
    return type(state)(
        *[
            take(each, places) if isinstance(each, tuple) else each.take(places, -1)
            for each in state
        ]
    )


def join(state: State, others: State) -> State:
    """The texts of one and then those of the other."""
    return type(state)(
        *[
            join(one, other) if isinstance(one, tuple) else np.concatenate((one, other), -1)
            for one, other in zip(state, others, strict=True)
        ]
    )


class Scorer(Protocol[State]):
    """Scores texts as they grow. Its state has a `context`, (texts,) natural log."""

    def start(self) -> State:
        """Of the empty text."""

    def extend(self, state: State, places: Ints, labels: Ints) -> State:
        """Of the texts at `places` with a symbol each at the end; a space only after a word."""

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

    def extend(self, state: CharacterState, places: Ints, labels: Ints) -> CharacterState:
        closed = labels == self._space
        return CharacterState(~closed, state.context[places] + self._word_bonus * closed)

    def finish(self, state: CharacterState) -> tuple[Floats, Floats]:
        bonus = state.context + self._word_bonus * state.in_word
        return np.zeros_like(bonus), bonus


class LanguageModel:
    """An n-gram model and the lexicon of its words in an alphabet. Shared between threads."""

    def __init__(self, ngrams: NgramModel, alphabet: Alphabet) -> None:
        self.ngrams = ngrams
        self.alphabet = alphabet
        self.lexicon = build_lexicon(ngrams, alphabet)

    def __reduce__(self) -> tuple[type["LanguageModel"], tuple[NgramModel, Alphabet]]:
        """Another process builds its own lexicon, which is faster than to send it."""
        return LanguageModel, (self.ngrams, self.alphabet)


class WordState(NamedTuple):
    """What is known of unfinished texts with a language model.

    Attributes:
        words: (order, texts): the node in the lexicon of the characters since the last space, and
            the words of the `History`.
        scores: (order + 2, texts): natural log probability of the words that are whole, their
            bonuses and penalties, `context`, and the back-off weights of the `History`.
    """

    words: Ints
    scores: Floats

    @property
    def context(self) -> Floats:
        """What to add to each text's acoustic score."""
        context: Floats = self.scores[2]
        return context

    @property
    def history(self) -> History:
        """The words that are whole."""
        return History(self.words[1:], self.scores[3:])


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
        self._lm_weight = options.lm_weight
        self._word_bonus, self._unknown_penalty = options.word_bonus, options.unknown_penalty
        self._model = model
        self._lexicon = model.lexicon
        if words:
            self._lexicon = model.lexicon.with_words([alphabet.encode(word) for word in words])
        self._look_ahead = options.lm_weight * self._lexicon.look_ahead.astype(np.float64)
        self._look_ahead[OUTSIDE] -= options.unknown_penalty

    def start(self) -> WordState:
        words, backoffs = self._model.ngrams.start()
        return WordState(np.vstack(([[ROOT]], words)), np.vstack((np.zeros((3, 1)), backoffs)))

    def extend(self, state: WordState, places: Ints, labels: Ints) -> WordState:
        grown = take(state, places)
        node, (lm, bonus, context) = grown.words[0], grown.scores[:3]
        following = self._lexicon.trie.follow(node, labels)
        closed = np.flatnonzero(labels == self._space)
        if closed.size:
            self._close(grown, closed)
            following[closed] = ROOT
        node[:] = following
        np.add(self._lm_weight * lm + bonus, self._look_ahead.take(node), out=context)
        return grown

    def finish(self, state: WordState) -> tuple[Floats, Floats]:
        """The last word is closed and the sentence ends; where nothing is said, there is none."""
        whole = take(state, np.arange(state.context.size))
        node, last = whole.words[:2]
        self._close(whole, np.flatnonzero(node != ROOT))
        ending, _ = self._model.ngrams.score(whole.history, np.full(last.size, END))
        return whole.scores[0] + np.where(last != START, ending, 0.0), whole.scores[1]

    def _close(self, state: WordState, places: Ints) -> None:
        """The words of the texts at `places` are whole now: `state` is changed in place."""
        closed = take(state, places)
        node = closed.words[0]
        words = self._lexicon.words.take(node).astype(np.int64)
        scores, history = self._model.ngrams.score(closed.history, words)
        closed.scores[0] += scores
        closed.scores[1] += self._word_bonus
        closed.scores[1] -= self._unknown_penalty * ~self._lexicon.ends.take(node)
        closed.scores[3:], closed.words[1:], closed.words[0] = history.backoffs, history.words, ROOT
        state.words[:, places], state.scores[:, places] = closed
