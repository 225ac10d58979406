"""N-gram models of several sources -> one, weighted by how well each predicts other texts."""

from collections.abc import Sequence

import numpy as np

from otoscope.arrays import Floats, Ints
from otoscope.decoding.ngram import START
from training.text.backoff import NOT_THERE, Level, Levels, log_probs, make_level, with_backoffs
from training.text.corpus import Tokens

_ROUNDS = 100
_SETTLED = 1e-4


def weigh(models: Sequence[Levels], texts: Sequence[Tokens]) -> Floats:
    """The share of each model in the mixture that predicts some texts best, (models,).

    By expectation maximisation (Jelinek and Mercer 1980). Each text counts alike, however long.
    """
    probs, importance = [], []
    for tokens in texts:
        spoken = tokens != START
        each = [np.exp(log_probs(model, tokens))[spoken] for model in models]
        probs.append(np.stack(each))
        importance.append(np.full(each[0].size, 1 / max(each[0].size, 1) / len(texts)))
    columns, counts = np.concatenate(probs, axis=1), np.concatenate(importance)
    weights = np.full(len(models), 1 / len(models))
    for _ in range(_ROUNDS):
        mixed = weights[:, None] * columns
        better = (mixed / mixed.sum(axis=0)) @ counts
        settled = np.abs(better - weights).max() < _SETTLED
        weights = better / better.sum()
        if settled:
            break
    return weights


def mix(models: Sequence[Levels], weights: Floats) -> list[Level]:
    """One model with the n-grams of all; its probabilities of these are the weighted means.

    Counts become shares: how often an n-gram comes in a word of the weighted texts.
    """
    size = models[0][0].size
    parts = [_Part(model, weight) for model, weight in zip(models, weights.tolist(), strict=True)]
    mixed = [_mean(parts, 0, np.arange(size), np.zeros(size, dtype=np.int64))]
    for length in range(1, len(models[0])):
        keys = [part.keys(length) for part in parts]
        union = np.unique(np.concatenate(keys))
        found = [np.searchsorted(union, each) for each in keys]
        suffixes = np.full(union.size, NOT_THERE)
        for part, places in zip(parts, found, strict=True):
            suffixes[places] = part.places[part.model[length].suffixes]
        for part, places in zip(parts, found, strict=True):
            part.lengthen(length, union // size, suffixes, places)
        mixed.append(_mean(parts, length, union, suffixes))
    return with_backoffs(mixed, [np.ones(level.keys.size, np.bool_) for level in mixed])


class _Part:
    """One model of a mixture, among the n-grams of one length that all of them have.

    Attributes:
        places: (its n-grams,) their places among all.
        log_probs: (all n-grams,) by this model.
    """

    def __init__(self, model: Levels, weight: float) -> None:
        self.model, self.weight = model, weight
        self.places: Ints = np.arange(model[0].size)
        self.log_probs: Floats = model[0].log_probs.astype(np.float64)

    def keys(self, length: int) -> Ints:
        """Of its n-grams one word longer, as all of them are numbered."""
        level = self.model[length]
        return self.places[level.prefixes] * level.size + level.last

    def lengthen(self, length: int, prefixes: Ints, suffixes: Ints, places: Ints) -> None:
        """Go on to n-grams one word longer, whose parts lie at these places among all."""
        backoffs = np.zeros(self.log_probs.size)
        backoffs[self.places] = self.model[length - 1].log_backoffs
        self.log_probs = backoffs[prefixes] + self.log_probs[suffixes]
        self.log_probs[places] = self.model[length].log_probs
        self.places = places

    def add_to(self, probs: Floats, shares: Floats, length: int) -> None:
        """Its part of probabilities and shares."""
        probs += self.weight * np.exp(self.log_probs)
        words = max(self.model[0].counts.sum(), 1.0)
        shares[self.places] += self.weight / words * self.model[length].counts


def _mean(parts: Sequence[_Part], length: int, keys: Ints, suffixes: Ints) -> Level:
    probs, shares = np.zeros(keys.size), np.zeros(keys.size)
    for part in parts:
        part.add_to(probs, shares, length)
    return make_level(parts[0].model[0].size, keys, suffixes, shares, np.log(probs))
