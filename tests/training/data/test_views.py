"""Two views of an utterance: the same sound under different masks, in the same batch."""

from dataclasses import replace

import numpy as np
import pytest

from otoscope.features import FeatureSpec
from training.config import (
    AugmentConfig,
    CorpusConfig,
    LoopConfig,
    LossConfig,
    Source,
    TrainingConfig,
)
from training.data.dataset import NO_LABELS, Draw, Example, Examples, Part, epoch_batches
from training.data.feature_cache import FeaturePack

SPEC = FeatureSpec()
FRAMES = (120, 90, 200, 150)
MASKED = TrainingConfig(
    CorpusConfig((Source("all.jsonl"),), ()),
    augment=AugmentConfig(noise_probability=0.0, max_warp=0.1, time_masks_per_s=2.0),
    loop=LoopConfig(batch_s=8.0, sorted_epochs=0),
)
BARE = replace(MASKED, augment=replace(MASKED.augment, frequency_masks=0, time_masks_per_s=0.0))


@pytest.fixture
def examples() -> list[Example]:
    rows = np.random.default_rng(0).standard_normal((sum(FRAMES), SPEC.n_mels))
    pack = FeaturePack(rows.astype(np.float32), np.cumsum([0, *FRAMES]))
    labels = np.array([0, 1], dtype=np.int64)
    return [Example((pack,), index, labels, 0, NO_LABELS) for index in range(len(FRAMES))]


def batches(examples: list[Example], views: int) -> list[list[Draw]]:
    loss = LossConfig(consistency_weight=0.2 * (views - 1))
    return epoch_batches(examples, replace(MASKED, loss=loss), epoch=0)


def test_views_differ_in_their_masks_alone(examples: list[Example]) -> None:
    first, second = Draw(0, (Part(2, 0),)), Draw(0, (Part(2, 0),), view=1)
    masked = Examples(examples, MASKED)
    assert not np.array_equal(masked[first].features, masked[second].features)
    assert np.array_equal(masked[second].features, masked[second].features)
    bare = Examples(examples, BARE)
    assert np.array_equal(bare[first].features, bare[second].features)
    seen = masked[second].features
    unmasked = seen != 0
    assert np.array_equal(seen[unmasked], bare[second].features[unmasked])


def test_a_batch_holds_all_first_views_then_all_second_ones(examples: list[Example]) -> None:
    twice = batches(examples, views=2)
    for batch in twice:
        half = len(batch) // 2
        assert [draw.view for draw in batch] == [0] * half + [1] * half
        assert [replace(draw, view=0) for draw in batch[half:]] == batch[:half]
        assert len(batch) * max(FRAMES[draw.parts[0].example] for draw in batch) <= 800
    drawn = sorted(draw.parts[0].example for batch in twice for draw in batch if not draw.view)
    assert drawn == list(range(len(FRAMES)))


def test_one_view_is_the_default(examples: list[Example]) -> None:
    assert all(draw.view == 0 for batch in batches(examples, views=1) for draw in batch)
