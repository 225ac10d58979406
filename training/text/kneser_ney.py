"""Sentences -> an n-gram model by interpolated modified Kneser-Ney smoothing.

Chen and Goodman 1999 ("An empirical study of smoothing techniques for language modeling"), with
cut-offs as SRILM and KenLM have them: discounts and back-off weights are those of all n-grams, also
where rare ones are then left out.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from otoscope.arrays import Bools, Floats, Ints
from otoscope.decoding.ngram import END, MARKS, START, UNKNOWN
from training.text.backoff import LEAST, Level, keep, make_level
from training.text.corpus import Tokens

_NEVER = -99.0
"""Natural log probability of what is never predicted: the start of a sentence."""

_WORDS = 10
"""Of a sentence, where nothing is known of sentences."""

_UNKNOWN, _UNSEEN = 0.5, 1e-3

_FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where a text is too small to estimate them from: KenLM's."""


def estimate(tokens: Tokens, size: int, least: Sequence[int]) -> list[Level]:
    """A model of one source.

    Args:
        tokens: sentences, see `training.text.corpus.Source`.
        size: of the vocabulary with the marks.
        least: for each length of n-grams, from 1 on, those that occur less often are left out;
            never falling with the length.
    """
    levels = count(tokens, size, len(least))
    adjusted = [_continuations(levels, place) for place in range(len(levels))]
    kept = [level.counts >= at_least for level, at_least in zip(levels, least, strict=True)]
    kept[0][:] = True  # each word has a probability
    estimated = [_single_words(levels[0], adjusted[0])]
    for place in range(1, len(levels)):
        level, below = levels[place], estimated[-1]
        estimated[-1], longer = _discounted(level, below, adjusted[place], kept[place])
        estimated.append(longer)
    return keep(estimated, kept)


def estimate_words(tokens: Tokens, size: int, order: int) -> list[Level]:
    """A model of single words, which may follow each other in any order.

    The end of a sentence comes once in `_WORDS`; what is not in it less often than any word.

    Args:
        tokens: words by themselves, see `training.text.corpus.Source`.
        size: of the vocabulary with the marks.
        order: words of the longest n-grams, of which there are none above one.
    """
    counts = np.bincount(tokens, minlength=size).astype(np.float64)
    counts[START] = 0.0
    counts[END] = max(counts[MARKS:].sum(), 1.0) / _WORDS
    counts[UNKNOWN] = _UNKNOWN
    counts += _UNSEEN * (counts == 0)
    log_probs = np.log(counts / counts.sum())
    log_probs[START] = _NEVER
    nothing: Ints = np.zeros(0, dtype=np.int64)
    longer = [make_level(size, nothing, nothing, nothing) for _ in range(order - 1)]
    return [make_level(size, np.arange(size), np.zeros(size, np.int32), counts, log_probs), *longer]


def count(tokens: Tokens, size: int, order: int) -> list[Level]:
    """All n-grams within sentences of up to `order` words, with how often they occur.

    It takes about 35 bytes a token besides the levels.
    """
    places = tokens.astype(np.int32)  # of the n-gram that starts at each token
    starts = np.arange(tokens.size, dtype=np.int32)
    words = np.arange(size, dtype=np.int64)
    occurrences = np.bincount(tokens, minlength=size)
    levels = [make_level(size, words, np.zeros(size, np.int32), occurrences)]
    for length in range(1, order):
        starts = starts[tokens[starts + (length - 1)] != END]
        keys = places[starts].astype(np.int64)
        keys *= size
        keys += tokens[starts + length]
        in_order = np.argsort(keys)
        keys = keys[in_order]
        firsts = np.flatnonzero(np.diff(keys, prepend=-1))
        occurrences = np.diff(firsts, append=keys.size)
        keys = keys[firsts]
        starts_in_order = starts[in_order]
        del in_order
        suffixes = places[starts_in_order[firsts] + 1]
        places[starts_in_order] = np.repeat(np.arange(firsts.size, dtype=np.int32), occurrences)
        levels.append(make_level(size, keys, suffixes, occurrences))
    return levels


def _continuations(levels: Sequence[Level], place: int) -> Floats:
    """Before how many different words each n-gram stands; how often, where none can come before."""
    level = levels[place]
    if place + 1 == len(levels):
        return level.counts.astype(np.float64)
    adjusted = np.bincount(levels[place + 1].suffixes, minlength=level.keys.size).astype(np.float64)
    first: Ints = np.arange(level.size)
    for each in levels[1 : place + 1]:
        first = first[each.prefixes]
    return np.where(first == START, level.counts, adjusted)


def _discounts(counts: Floats) -> Floats:
    """What is taken off each count: one number for ones, one for twos, one for all others."""
    numbers = np.bincount(np.minimum(counts, 5).astype(np.int64), minlength=6)[1:5]
    found = np.array(_FALLBACK)
    if numbers.all():
        share = numbers[0] / (numbers[0] + 2 * numbers[1])
        wanted = np.arange(1, 4) - np.arange(2, 5) * share * numbers[1:] / numbers[:-1]
        if (wanted > 0).all() and (wanted <= np.arange(1, 4)).all():
            found = wanted
    table = np.append(0.0, found)
    taken: Floats = table[np.minimum(counts, 3).astype(np.int64)]
    return taken


def _single_words(level: Level, adjusted: Floats) -> Level:
    """Shares of the continuations; what is discounted goes to all words alike."""
    adjusted = adjusted.copy()
    adjusted[START] = 0.0
    total = max(adjusted.sum(), 1.0)
    probs = np.maximum(adjusted - _discounts(adjusted), 0.0) / total
    probs += (1 - probs.sum()) / (level.size - 1)
    log_probs = np.log(probs)
    log_probs[START] = _NEVER
    return replace(level, log_probs=log_probs.astype(np.float32))


def _discounted(level: Level, below: Level, adjusted: Floats, kept: Bools) -> tuple[Level, Level]:
    """The level below with back-off weights, and this one with probabilities."""
    prefixes = level.prefixes
    totals = np.bincount(prefixes, adjusted, minlength=below.keys.size)
    own = np.where(kept, adjusted - _discounts(adjusted), 0.0) / totals[prefixes]
    left = 1 - np.bincount(prefixes, own, minlength=below.keys.size)
    left = np.where(totals > 0, np.clip(left, LEAST, 1.0), 1.0)
    probs = own + left[prefixes] * np.exp(below.log_probs[level.suffixes])
    return (
        replace(below, log_backoffs=np.log(left).astype(np.float32)),
        replace(level, log_probs=np.log(probs).astype(np.float32)),
    )
