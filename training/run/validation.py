"""How a model does on the dev sets while it is being trained: greedy error rates."""

from collections.abc import Sequence

import numpy as np
import torch

from otoscope import ctc
from otoscope.clock import FrameClock
from otoscope.decoding import greedy
from otoscope.features import FeatureSpec
from otoscope.posteriors import HeadLogProbs, Posteriors
from otoscope.vocabulary import Alphabet
from training.config import TrainingConfig
from training.data.dataset import Item, collate
from training.data.prepare import DevSet
from training.evaluation.metrics import (
    DevScore,
    DevScores,
    ErrorCounts,
    character_errors,
    phoneme_errors,
    word_errors,
)
from training.model.network import AcousticModel

_BATCH_FRAMES = 24000


def evaluate(
    model: AcousticModel, dev: Sequence[DevSet], config: TrainingConfig
) -> tuple[DevScores, dict[str, list[str]]]:
    """Measure `model` (set to evaluation mode).

    Returns:
        Its error rates, and the recognized text of each utterance by the set's name.
    """
    scores, texts = {}, {}
    for one in dev:
        scores[one.name], texts[one.name] = _evaluate_set(model, one, config)
    return DevScores(scores), texts


def recognize(
    model: AcousticModel, dev: DevSet, places: Sequence[int], spec: FeatureSpec
) -> list[HeadLogProbs]:
    """Posteriors of the dev set's utterances at `places`, in that order."""
    results: dict[int, HeadLogProbs] = {}
    frames = {place: int(dev.pack.frames[dev.indices[place]]) for place in places}
    waiting = sorted(places, key=lambda place: -frames[place])
    while waiting:
        size = max(1, _BATCH_FRAMES // frames[waiting[0]])
        now, waiting = waiting[:size], waiting[size:]
        batch = collate([Item(dev.features(place, spec)) for place in now]).to(model.device)
        with torch.inference_mode():
            heads = model.heads(batch.features, batch.lengths, encoded=dev.pack.encoded)
        results |= zip(now, heads.unpadded(), strict=True)
    return [results[place] for place in places]


def greedy_text(heads: HeadLogProbs, alphabet: Alphabet) -> str:
    """The text of greedy decoding of the characters' posteriors."""
    return greedy(Posteriors(heads.characters, alphabet, FrameClock(1.0, float("inf")))).text


def _evaluate_set(
    model: AcousticModel, dev: DevSet, config: TrainingConfig
) -> tuple[DevScore, list[str]]:
    heads = recognize(model, dev, range(len(dev.indices)), config.features)
    texts = [greedy_text(one, config.alphabet) for one in heads]
    score = DevScore(
        character_errors(dev.texts, texts),
        word_errors(dev.texts, texts),
        _phoneme_errors(heads, dev, config),
    )
    return score, texts


def _phoneme_errors(
    heads: Sequence[HeadLogProbs], dev: DevSet, config: TrainingConfig
) -> ErrorCounts | None:
    names = config.phonemes
    references, hypotheses = [], []
    for one, labels in zip(heads, dev.phonemes, strict=True):
        if one.phonemes is not None and labels.size:
            path = one.phonemes.argmax(axis=1).astype(np.int64)
            references.append(names.decode(labels))
            hypotheses.append(names.decode(ctc.collapse(path, names.blank_index)))
    return phoneme_errors(references, hypotheses) if references else None
