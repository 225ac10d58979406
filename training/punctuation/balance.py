"""Biases of the classes with which F1 is best on texts that were kept back.

The most probable class is right most often, yet it is "nothing" too often for F1: the threshold
that is best for it lies at half the F1 that can be reached (Lipton, Elkan, Naryanaswamy 2014).
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
        model: that `log_probs` are of.
        log_probs: of passages with drawn pauses, as transcripts have pauses.
        texts: that no training saw.
        most_words: of each text, from its beginning.
    """
    labels = np.concatenate([np.asarray(text.labels[:most_words]) for text in texts])
    told = [log_probs(*one) for text in texts for one in passages(text, most_words, pauses=True)]
    cases, marks = (np.concatenate(parts) for parts in zip(*told, strict=True))
    known = cases_of(labels) != UNKNOWN_CASE
    with torch.no_grad():
        model.case.bias.add_(torch.tensor(_biases(cases[known], cases_of(labels)[known], LOWER)))
        model.mark.bias.add_(torch.tensor(_biases(marks, marks_of(labels), NOTHING)))


def _biases(log_probs: Floats, due: Ints, nothing: int) -> list[float]:
    """Of each class, found one after the other; that of `nothing` stays 0."""
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
    """Of all classes but `nothing` together."""
    hits: Bools = (due == given) & (due != nothing)
    return 2 * float(hits.sum()) / float((due != nothing).sum() + (given != nothing).sum())
