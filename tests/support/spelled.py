"""Posteriors made by hand: whose likeliest classes spell what a test says."""

from collections.abc import Sequence

import numpy as np

from otoscope.clock import FrameClock
from otoscope.posteriors import Posteriors
from otoscope.vocabulary import ENGLISH, Alphabet

FRAME_S = 0.04


def posteriors(
    path: str, confidence: float | Sequence[float] = 0.9, alphabet: Alphabet = ENGLISH
) -> Posteriors:
    """One frame for each symbol of `path`, which has `confidence`; "_" is the blank.

    The other classes share the rest of a frame's probability evenly.
    """
    confidences = np.broadcast_to(confidence, len(path))
    probs = np.empty((len(path), alphabet.size), dtype=np.float32)
    for row, symbol, peak in zip(probs, path, confidences, strict=True):
        row[:] = (1 - peak) / (alphabet.size - 1)
        row[alphabet.blank_index if symbol == "_" else alphabet.symbols.index(symbol)] = peak
    clock = FrameClock(FRAME_S, max(len(path) - 0.5, 0) * FRAME_S)
    return Posteriors(np.log(probs), alphabet, clock)
