"""N-gram models in sorted arrays, while they are estimated.

A level holds all n-grams of one length. An n-gram is known by the place of its first words in the
level below and its last word: their levels being sorted, these are numbers in order, and parts of
n-grams are found by numbers alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Bools, Floats, Ints
from otoscope.decoding.ngram import START, Ngrams
from training.text.corpus import Tokens

LEAST = 1e-9
"""No context leaves less than this of its probability."""

NOT_THERE = -1

Places = npt.NDArray[np.int32]
Reals = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Level:
    """N-grams of one length, of `size` different words.

    Attributes:
        size: of the vocabulary with the marks.
        keys: (n,) sorted, place of the first words in the level below * size + the last word; of
            single words, the word.
        suffixes: (n,) place in the level below of the n-gram without its first word.
        counts: (n,) how often each occurs, perhaps in shares.
        log_probs: (n,) natural log probability of the last word.
        log_backoffs: (n,) natural log of the back-off weight.
    """

    size: int
    keys: Ints
    suffixes: Places
    counts: Reals
    log_probs: Reals
    log_backoffs: Reals

    @property
    def prefixes(self) -> Ints:
        """(n,) place in the level below of the n-gram without its last word."""
        return self.keys // self.size

    @property
    def last(self) -> Ints:
        """(n,) the last words."""
        return self.keys % self.size

    def find(self, keys: Ints) -> Ints:
        """Places of keys, `NOT_THERE` for those that are not."""
        if not self.keys.size:
            return np.full(keys.size, NOT_THERE)
        places = np.minimum(np.searchsorted(self.keys, keys), self.keys.size - 1)
        return np.where(self.keys[places] == keys, places, NOT_THERE)


Levels = Sequence[Level]


def make_level(
    size: int,
    keys: Ints,
    suffixes: npt.NDArray[np.integer],
    counts: npt.NDArray[np.number],
    log_probs: Floats | None = None,
) -> Level:
    """A level without back-off weights, in half of the bytes that numbers take."""
    nothing = np.zeros(keys.size, dtype=np.float32)
    known = nothing if log_probs is None else log_probs.astype(np.float32)
    return Level(size, keys, suffixes.astype(np.int32), counts.astype(np.float32), known, nothing)


def keep(levels: Levels, kept: Sequence[Bools]) -> list[Level]:
    """The levels' n-grams that are to be kept; what an n-gram begins with has to be among them.

    Suffixes that are not kept are `NOT_THERE`.
    """
    filtered: list[Level] = []
    renumbering = np.zeros(1, dtype=np.int64)
    for level, chosen in zip(levels, kept, strict=True):
        suffixes = renumbering[level.suffixes[chosen]].astype(np.int32)
        keys = level.keys[chosen]
        if filtered:
            keys = renumbering[level.prefixes[chosen]] * level.size + level.last[chosen]
        each = level.counts, level.log_probs, level.log_backoffs
        filtered.append(Level(level.size, keys, suffixes, *(array[chosen] for array in each)))
        renumbering = np.where(chosen, np.cumsum(chosen) - 1, NOT_THERE)
    return filtered


def log_probs(levels: Levels, tokens: Tokens) -> Floats:
    """Natural log probability of each token after those before it in its sentence.

    Args:
        levels: of the model.
        tokens: sentences, see `training.text.corpus.Source`.

    Returns:
        (tokens,), 0 for the start of a sentence.
    """
    scores = levels[0].log_probs[tokens].astype(np.float64)
    before = tokens.astype(np.int64)  # places of the n-grams that end at each token
    fresh = tokens == START
    for level, below in zip(levels[1:], levels, strict=False):
        context: Ints = np.append(NOT_THERE, before[:-1]).astype(np.int64)
        context[fresh] = NOT_THERE
        places = level.find(context * level.size + tokens)
        places[context == NOT_THERE] = NOT_THERE
        lower = scores + np.append(below.log_backoffs, 0.0)[context]  # 0 where it is not there
        scores = np.where(places == NOT_THERE, lower, np.append(level.log_probs, 0.0)[places])
        before = places
    scores[fresh] = 0.0
    return scores


def with_backoffs(levels: Levels, kept: Sequence[Bools]) -> list[Level]:
    """The same with back-off weights by which each context's probabilities sum to 1.

    Args:
        levels: of the model.
        kept: for each level, the n-grams that the model is to have.
    """
    changed = list(levels)
    probs = levels[0].log_probs.astype(np.float64)  # of all n-grams, by those that are kept
    for place, (level, chosen) in enumerate(zip(levels[1:], kept[1:], strict=True)):
        shorter, contexts = probs[level.suffixes], changed[place].keys.size
        left, shorter_left = masses(level, shorter, contexts, chosen)
        weights = np.log(left / shorter_left)
        changed[place] = replace(changed[place], log_backoffs=weights.astype(np.float32))
        probs = np.where(chosen, level.log_probs, weights[level.prefixes] + shorter)
    return changed


def masses(level: Level, shorter: Floats, contexts: int, chosen: Bools) -> tuple[Floats, Floats]:
    """What the chosen n-grams leave of 1 in each context, and what their words do a level lower.

    Args:
        level: of the n-grams.
        shorter: (n,) their log probabilities without the first word.
        contexts: number of n-grams in the level below.
        chosen: (n,) which count.
    """
    left = []
    for log_probs in (level.log_probs, shorter):
        taken = np.bincount(level.prefixes, np.exp(log_probs) * chosen, minlength=contexts)
        left.append(np.maximum(1 - taken, LEAST))
    return left[0], left[1]


def ngrams_of(levels: Levels) -> list[Ngrams]:
    """What `otoscope.decoding.ngram.build_model` takes, as far as there are any."""
    found = []
    words = levels[0].keys[:, None]
    for level in takewhile(lambda each: each.keys.size, levels[1:]):
        words = np.hstack((words[level.prefixes], level.last[:, None]))
        weights = level.log_probs.astype(np.float64), level.log_backoffs.astype(np.float64)
        found.append(Ngrams(words, *weights))
    return found
