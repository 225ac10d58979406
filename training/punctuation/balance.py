"""Biases of the classes for the best F1 on held-out texts.

The most probable class is correct most often, but too often it is "nothing" for F1: the optimal
threshold is half of the F1 that can be reached (Lipton, Elkan, Naryanaswamy 2014).
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from otoscope.arrays import Bools, Floats, Ints
from training.punctuation.network import PunctuationModel
from training.punctuation.scores import passages
from training.punctuation.text import LabelledText, cases_of, marks_of
from training.punctuation.tokens import LOWER, NOTHING, UNKNOWN_CASE

LogProbs = Callable[[Sequence[str], Floats | None], tuple[Floats, Floats]]
"""Words and pauses to log-probabilities, (words, cases) and (words, marks)."""

_BIASES = np.linspace(-0.5, 1.5, 21)
_ROUNDS = 3


def balance(
    model: PunctuationModel, log_probs: LogProbs, texts: Sequence[LabelledText], most_words: int
) -> None:
    """Add to the biases of the model's outputs.

    Args:
        model: gets the biases.
        log_probs: of `model`, called with passages with drawn pauses.
        texts: held out from training.
        most_words: of each text, from its beginning.
    """
    labels = np.concatenate([np.asarray(text.labels[:most_words]) for text in texts])
    predicted = [
        log_probs(*one) for text in texts for one in passages(text, most_words, pauses=True)
    ]
    cases, marks = (np.concatenate(parts) for parts in zip(*predicted, strict=True))
    known = cases_of(labels) != UNKNOWN_CASE
    with torch.no_grad():
        model.case.bias.add_(torch.tensor(_biases(cases[known], cases_of(labels)[known], LOWER)))
        model.mark.bias.add_(torch.tensor(_biases(marks, marks_of(labels), NOTHING)))


def _biases(log_probs: Floats, due: Ints, nothing: int) -> list[float]:
    """A bias for each class, optimized one after another; that of `nothing` stays 0."""
    biases = np.zeros(log_probs.shape[1])
    others = [place for place in range(biases.size) if place != nothing]
    for place in others * _ROUNDS:
        scores = []
        for bias in _BIASES:
            biases[place] = bias
            scores.append(_f1(due, (log_probs + biases).argmax(axis=1), nothing))
        biases[place] = _BIASES[int(np.argmax(scores))]
    return biases.tolist()


def _f1(due: Ints, given: Ints, nothing: int) -> float:
    """F1 of all classes but `nothing` together."""
    hits: Bools = (due == given) & (due != nothing)
    return 2 * float(hits.sum()) / float((due != nothing).sum() + (given != nothing).sum())
