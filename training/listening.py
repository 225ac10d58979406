"""What a model makes of a dev set while it is being trained."""

from collections.abc import Sequence

import numpy as np
import torch

from otoscope import features as front_end
from otoscope.alphabet import Alphabet
from otoscope.decoding import greedy
from otoscope.features import FeatureSpec
from otoscope.posteriors import FrameClock, LogProbs, Posteriors
from training.dataset import collate
from training.metrics import ErrorRates, error_rates
from training.model import AcousticModel
from training.prepare import DevSet

_BATCH_FRAMES = 24000


def evaluate(
    model: AcousticModel, dev: DevSet, spec: FeatureSpec, alphabet: Alphabet
) -> ErrorRates:
    """Greedy error rates of `model` (set to evaluation mode) on a dev set."""
    hypotheses = [
        greedy(Posteriors(log_probs, alphabet, FrameClock(1.0, float("inf")))).text
        for log_probs in dev_log_probs(model, dev, range(len(dev.indices)), spec)
    ]
    return error_rates(dev.texts, hypotheses)


def dev_log_probs(
    model: AcousticModel, dev: DevSet, places: Sequence[int], spec: FeatureSpec
) -> list[LogProbs]:
    """Posteriors of the dev set's utterances at `places`, in that order: natural logs (T', V)."""
    results: dict[int, LogProbs] = {}
    frames = dev.pack.frames
    waiting = sorted(places, key=lambda place: int(frames[dev.indices[place]]))
    while waiting:
        longest_first = waiting[::-1]
        size = max(1, _BATCH_FRAMES // int(frames[dev.indices[longest_first[0]]]))
        now, waiting = longest_first[:size], longest_first[size:][::-1]
        empty = np.zeros(0, dtype=np.int64)
        batch = collate(
            [(front_end.finish(dev.pack[dev.indices[place]], spec), empty) for place in now]
        )
        with torch.inference_mode():
            log_probs, lengths = model(batch.features, batch.lengths)
        for place, row, length in zip(now, log_probs, lengths, strict=True):
            results[place] = row[: int(length)].numpy()
    return [results[place] for place in places]
