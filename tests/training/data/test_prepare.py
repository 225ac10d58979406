"""Manifests into examples."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.config_file import read_config
from training.data.prepare import prepare
from training.run.trainer import Trainer


def test_seconds_are_counted_by_the_hop(config_path: Path, tones: Path, tmp_path: Path) -> None:
    config = read_config(config_path)
    slow = replace(config, features=replace(config.features, hop_ms=20.0))
    expected = prepare(config, tones, tones / "cache")
    prepared = prepare(slow, tones, tmp_path / "cache")
    assert prepared.audio_hours == pytest.approx(expected.audio_hours, rel=0.01)
    most = max(example.frames(1) for example in prepared.examples)
    bounded = replace(slow, corpus=replace(slow.corpus, max_s=most * 0.02 - 0.1))
    assert len(prepare(bounded, tones, tmp_path / "cache").examples) < len(prepared.examples)
    bounded = replace(slow, corpus=replace(slow.corpus, max_s=most * 0.02))
    assert len(prepare(bounded, tones, tmp_path / "cache").examples) == len(prepared.examples)


@pytest.mark.parametrize("hop_ms", [10.0, 20.0])
def test_a_batch_has_its_seconds_at_any_hop(
    config_path: Path, tones: Path, tmp_path: Path, hop_ms: float
) -> None:
    config = read_config(config_path)
    config = replace(config, features=replace(config.features, hop_ms=hop_ms))
    trainer = Trainer(config, prepare(config, tones, tmp_path / "cache"), tmp_path / "run")
    seconds = [batch.features[..., 0].numel() * hop_ms / 1000 for batch in trainer.first_batches()]
    assert 0.8 * config.loop.batch_s < np.median(seconds) <= max(seconds) <= config.loop.batch_s


def test_a_manifest_named_twice_counts_twice_an_epoch_and_once_in_hours(
    config_path: Path, tones: Path
) -> None:
    config = read_config(config_path)
    once = prepare(config, tones, tones / "cache")
    train = config.corpus.train
    doubled = replace(config, corpus=replace(config.corpus, train=(*train, *train)))
    twice = prepare(doubled, tones, tones / "cache")
    assert len(twice.examples) == 2 * len(once.examples)
    assert twice.audio_hours == once.audio_hours > 0
