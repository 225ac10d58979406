"""Manifests into examples."""

from dataclasses import replace
from pathlib import Path

from training.config import read_config
from training.data.prepare import prepare


def test_a_manifest_named_twice_is_heard_twice_and_counted_once(
    config_path: Path, tones: Path
) -> None:
    config = read_config(config_path)
    once = prepare(config, tones, tones / "cache")
    train = config.corpus.train
    doubled = replace(config, corpus=replace(config.corpus, train=(*train, *train)))
    twice = prepare(doubled, tones, tones / "cache")
    assert len(twice.examples) == 2 * len(once.examples)
    assert twice.audio_hours == once.audio_hours > 0
