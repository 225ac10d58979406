"""Small cases of the beam search, of which every text can be listed."""

import itertools
import math

import numpy as np

from otoscope.clock import FrameClock
from otoscope.decoding.ngram import build_model
from otoscope.posteriors import Posteriors
from otoscope.vocabulary import Alphabet

PLAIN = {"acoustic_scale": 1.0, "prior_scale": 0.0}
"""Options of a search by the posteriors as they are."""

EXHAUSTIVE = {**PLAIN, "beam_width": 10**6, "min_log_prob": -1e9, "beam_threshold": 1e9}
"""Options of a search that leaves nothing out."""

ALPHABET = Alphabet(("a", "b", " "))
FRAMES = 5


def posteriors(log_probs, alphabet=ALPHABET):
    return Posteriors(log_probs.astype(np.float32), alphabet, FrameClock(0.04, 1.0))


def random_posteriors(seed, frames=FRAMES, sharpness=1.5):
    logits = sharpness * np.random.default_rng(seed).standard_normal((frames, ALPHABET.size))
    return posteriors(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def unigram_model(probabilities):
    logs = [-99.0, math.log(0.3), math.log(0.05), *map(math.log, probabilities.values())]
    return build_model(tuple(probabilities), np.stack((logs, np.zeros(len(logs))), axis=1), [])


MODEL = unigram_model({"a": 0.1, "ab": 0.2, "bb": 0.35})


def every_text():
    """Texts that a search may return: no space at the start, none doubled."""
    for length in range(FRAMES + 1):
        for symbols in itertools.product(ALPHABET.symbols, repeat=length):
            text = "".join(symbols)
            if not text.startswith(" ") and "  " not in text:
                yield text
