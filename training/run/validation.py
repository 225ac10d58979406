"""What a model makes of a dev set while it is being trained."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from otoscope import ctc
from otoscope import features as front_end
from otoscope.decoding import greedy
from otoscope.features import FeatureSpec
from otoscope.posteriors import FrameClock, HeadLogProbs, LogProbs, Posteriors
from otoscope.vocabulary import Alphabet, PhonemeSet
from training.data.dataset import Item, collate
from training.data.prepare import DevSet
from training.evaluation.metrics import (
    ErrorRates,
    PhonemeErrorRate,
    error_rates,
    phoneme_error_rate,
)
from training.model.network import AcousticModel

_BATCH_FRAMES = 24000


@dataclass(frozen=True)
class DevScore:
    """How well a model does on a dev set.

    Attributes:
        phonemes: of its phoneme head, over the utterances that have a phoneme target; None without
            the head or without such utterances.
    """

    rates: ErrorRates
    phonemes: PhonemeErrorRate | None


def evaluate(
    model: AcousticModel,
    dev: DevSet,
    spec: FeatureSpec,
    alphabet: Alphabet,
    phonemes: PhonemeSet | None = None,
) -> DevScore:
    """Greedy error rates of `model` (set to evaluation mode) on a dev set."""
    heads = _heads(model, dev, range(len(dev.indices)), spec)
    hypotheses = [
        greedy(Posteriors(one.characters, alphabet, FrameClock(1.0, float("inf")))).text
        for one in heads
    ]
    rates = error_rates(dev.texts, hypotheses)
    return DevScore(rates, None if phonemes is None else _phoneme_errors(heads, dev, phonemes))


def dev_log_probs(
    model: AcousticModel, dev: DevSet, places: Sequence[int], spec: FeatureSpec
) -> list[LogProbs]:
    """Posteriors of the dev set's utterances at `places`, in that order: natural logs (T', V)."""
    return [one.characters for one in _heads(model, dev, places, spec)]


def _heads(
    model: AcousticModel, dev: DevSet, places: Sequence[int], spec: FeatureSpec
) -> list[HeadLogProbs]:
    """Posteriors of both heads for the utterances at `places`, in that order."""
    results: dict[int, HeadLogProbs] = {}
    frames = dev.pack.frames
    waiting = sorted(places, key=lambda place: int(frames[dev.indices[place]]))
    while waiting:
        longest_first = waiting[::-1]
        size = max(1, _BATCH_FRAMES // int(frames[dev.indices[longest_first[0]]]))
        now, waiting = longest_first[:size], longest_first[size:][::-1]
        batch = collate(
            [Item(front_end.finish(dev.pack[dev.indices[place]], spec)) for place in now]
        )
        with torch.inference_mode():
            heads = model.heads(batch.features, batch.lengths)
        for row, (place, length) in enumerate(zip(now, heads.lengths.tolist(), strict=True)):
            phonemes = None if heads.phonemes is None else heads.phonemes[row, :length].numpy()
            results[place] = HeadLogProbs(heads.log_probs[row, :length].numpy(), phonemes)
    return [results[place] for place in places]


def _phoneme_errors(
    heads: Sequence[HeadLogProbs], dev: DevSet, phonemes: PhonemeSet
) -> PhonemeErrorRate | None:
    references, hypotheses = [], []
    for one, labels in zip(heads, dev.phonemes, strict=True):
        if one.phonemes is not None and labels.size:
            path = one.phonemes.argmax(axis=1).astype(np.int64)
            references.append(phonemes.decode(labels))
            hypotheses.append(phonemes.decode(ctc.collapse(path, phonemes.blank_index)))
    return phoneme_error_rate(references, hypotheses) if references else None
