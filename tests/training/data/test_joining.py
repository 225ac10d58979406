"""Several utterances in one item: strangers one after the other, as in a recording of many."""

from dataclasses import replace

import numpy as np
import pytest

from otoscope.features import FeatureSpec, normalize
from training.config import AugmentConfig, CorpusConfig, LoopConfig, Source, TrainingConfig
from training.data.dataset import NO_LABELS, Draw, Example, Examples, Part, epoch_batches
from training.data.feature_cache import FeaturePack

SPEC = FeatureSpec()
FRAMES = tuple(range(50, 250, 2))
PLAIN = TrainingConfig(
    CorpusConfig((Source("all.jsonl"),), ()),
    augment=AugmentConfig(noise_probability=0.0, frequency_masks=0, time_masks_per_s=0.0),
    loop=LoopConfig(batch_s=12.0, sorted_epochs=0),
)


@pytest.fixture
def examples() -> list[Example]:
    rows = np.random.default_rng(0).standard_normal((sum(FRAMES), SPEC.n_mels))
    pack = FeaturePack(rows.astype(np.float32), np.cumsum([0, *FRAMES]))
    return [
        Example((pack,), index, np.array([index % 26, 3]), 0, np.array([index % 39]))
        for index in range(len(FRAMES))
    ]


def draws(examples: list[Example], share: float) -> list[Draw]:
    augment = replace(PLAIN.augment, join_probability=share, join_max_s=6.0)
    batches = epoch_batches(examples, replace(PLAIN, augment=augment), epoch=3)
    for batch in batches:
        assert len(batch) * max(length(draw) for draw in batch) <= 1200
    return [draw for batch in batches for draw in batch]


def length(draw: Draw) -> int:
    return sum(FRAMES[part.example] for part in draw.parts)


def test_every_utterance_is_heard_once_whatever_it_is_joined_with(examples: list[Example]) -> None:
    joined = draws(examples, 0.6)
    heard = sorted(part.example for draw in joined for part in draw.parts)
    assert heard == list(range(len(FRAMES)))
    several = [draw for draw in joined if len(draw.parts) > 1]
    assert several
    assert all(length(draw) <= 600 + max(FRAMES) for draw in several)
    assert sum(len(draw.parts) for draw in several) <= 60


def test_nothing_is_joined_unless_asked_for(examples: list[Example]) -> None:
    assert all(len(draw.parts) == 1 for draw in draws(examples, 0.0))


def test_a_joined_item_is_one_recording_with_the_texts_in_order(examples: list[Example]) -> None:
    item = Examples(examples, PLAIN)[Draw(0, (Part(4, 0), Part(9, 0)))]
    together = np.concatenate([examples[i].packs[0][i] for i in (4, 9)])
    assert np.array_equal(item.features, normalize(together, SPEC))  # one normalisation for both
    assert item.labels.tolist() == [4, 3, 26, 9, 3]
    assert item.phonemes.tolist() == [4, 9]


def test_phonemes_need_to_be_known_of_every_part(examples: list[Example]) -> None:
    examples[9] = replace(examples[9], phonemes=NO_LABELS)
    item = Examples(examples, PLAIN)[Draw(0, (Part(4, 0), Part(9, 0)))]
    assert item.phonemes.size == 0


def test_what_is_silent_adds_no_space_and_no_doubt(examples: list[Example]) -> None:
    silent = replace(examples[4], labels=NO_LABELS, phonemes=NO_LABELS)
    some = [silent, examples[5], silent, examples[6], silent]
    item = Examples(some, PLAIN)[Draw(0, tuple(Part(i, 0) for i in range(5)))]
    space = PLAIN.alphabet.encode(" ")
    expected = np.concatenate([examples[5].labels, space, examples[6].labels])
    np.testing.assert_array_equal(item.labels, expected)
    np.testing.assert_array_equal(
        item.phonemes, np.concatenate([examples[5].phonemes, examples[6].phonemes])
    )
    alone = Examples(some, PLAIN)[Draw(0, (Part(0, 0),))]
    assert alone.labels.size == 0
