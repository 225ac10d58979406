"""A large n-gram model -> a small one: the n-grams that are missed least go first.

Stolcke 1998 ("Entropy-based pruning of backoff language models"), with the probabilities of
histories counted in the texts: those that a Kneser-Ney model gives are of little use here (Chelba
et al. 2010, "Study on interaction between entropy pruning and Kneser-Ney smoothing").
"""

import numpy as np

from otoscope.arrays import Bools, Floats
from training.text.backoff import Level, Levels, keep, masses, with_backoffs


def prune(levels: Levels, most: int) -> list[Level]:
    """The same model with at most `most` n-grams of two and more words."""
    worth = [_worth(level, below) for level, below in zip(levels[1:], levels, strict=False)]
    for place in range(len(worth) - 1, 0, -1):  # what a longer one begins with is needed for it
        np.maximum.at(worth[place - 1], levels[place + 1].prefixes, worth[place])
    together = _best(np.concatenate(worth), most)
    ends = np.cumsum([each.size for each in worth])
    kept = [np.ones(levels[0].keys.size, np.bool_), *np.split(together, ends[:-1])]
    return keep(with_backoffs(levels, kept), kept)


def _best(worth: Floats, most: int) -> Bools:
    """Which are the `most` highest; of equal ones the first."""
    if worth.size <= most:
        return np.ones(worth.size, np.bool_)
    least = np.partition(worth, worth.size - most)[worth.size - most] if most else np.inf
    best: Bools = worth > least
    best[np.flatnonzero(worth == least)[: most - np.count_nonzero(best)]] = True
    return best


def _worth(level: Level, below: Level) -> Floats:
    """How much the model's relative entropy grows without each n-gram, nats a word."""
    shorter, prefixes = below.log_probs[level.suffixes].astype(np.float64), level.prefixes
    every = np.ones(level.keys.size, np.bool_)
    left, shorter_left = (each[prefixes] for each in masses(level, shorter, below.keys.size, every))
    probs = np.exp(level.log_probs)
    before = np.log(left / shorter_left)
    after = np.log((left + probs) / (shorter_left + np.exp(shorter)))
    lost = probs * (level.log_probs - shorter - after) + left * (before - after)
    grown: Floats = below.counts[prefixes] * lost
    return grown
