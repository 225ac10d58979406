"""Manifests into examples."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from otoscope.errors import ManifestError
from otoscope.features import FeatureSpec
from training.config import Source, TrainingConfig
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


def manifest(path: Path, **texts: str) -> None:
    rows = [{"audio_filepath": f"{name}.wav", "text": text} for name, text in texts.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def wrong(config_path: Path, tones: Path, tmp_path: Path) -> TrainingConfig:
    """One whose manifests a test writes, without features for any of them."""
    shutil.copy(tones / "train-0.wav", tmp_path / "good.wav")
    config = read_config(config_path)
    corpus = replace(config.corpus, train=(Source("m.jsonl"),), dev=(), noise="")
    return replace(config, corpus=corpus)


def test_texts_of_another_alphabet_are_refused_with_one_that_would_do(
    wrong: TrainingConfig, tmp_path: Path
) -> None:
    manifest(tmp_path / "m.jsonl", good="Größe zählt")
    with pytest.raises(ManifestError, match="lacks") as refusal:
        prepare(wrong, tmp_path, tmp_path / "cache")
    assert 'alphabet = "eghlrtzßäö " would do' in str(refusal.value)
    assert not (tmp_path / "cache").exists()


def test_what_is_missing_is_said_before_features_are_computed(
    wrong: TrainingConfig, tmp_path: Path
) -> None:
    manifest(tmp_path / "m.jsonl", good="a b", gone="a", lost="b")
    with pytest.raises(ManifestError, match=r"3 recordings, got none for .*gone.wav.*lost.wav"):
        prepare(wrong, tmp_path, tmp_path / "cache")
    manifest(tmp_path / "m.jsonl", good="a b")
    noisy = replace(wrong, corpus=replace(wrong.corpus, noise="noise.jsonl"))
    with pytest.raises(ManifestError, match=r"noise\.jsonl"):
        prepare(noisy, tmp_path, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_all_broken_recordings_are_named(wrong: TrainingConfig, tmp_path: Path) -> None:
    manifest(tmp_path / "m.jsonl", good="a b", torn="a", empty="b")
    (tmp_path / "torn.wav").write_bytes(b"RIFF no more")
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(ManifestError, match=r"2 that are not: .*torn\.wav.*empty\.wav"):
        prepare(wrong, tmp_path, tmp_path / "cache")


def test_letters_that_are_written_as_others_are_said(wrong: TrainingConfig, tmp_path: Path) -> None:
    manifest(tmp_path / "m.jsonl", good="bäd cab")
    report = prepare(wrong, tmp_path, tmp_path / "cache").report
    assert "written as others: 'ä' as 'a' in 1" in report


def test_nothing_to_choose_by_is_said(wrong: TrainingConfig, tones: Path, tmp_path: Path) -> None:
    manifest(tmp_path / "m.jsonl", good="a b")
    manifest(tmp_path / "dev.jsonl", good="")
    config = replace(wrong, corpus=replace(wrong.corpus, dev=("dev.jsonl",)))
    with pytest.raises(ManifestError, match=r"to choose by, got none: dev\.jsonl.*1 no text"):
        prepare(config, tmp_path, tmp_path / "cache")


def test_dev_recordings_that_are_too_long_for_the_encoder_are_left_out(
    wrong: TrainingConfig, tmp_path: Path
) -> None:
    samples, rate_hz = soundfile.read(tmp_path / "good.wav")
    soundfile.write(tmp_path / "long.wav", np.resize(samples, 31 * rate_hz), rate_hz)
    manifest(tmp_path / "m.jsonl", good="a b")
    manifest(tmp_path / "dev.jsonl", good="a b", long="a")
    config = replace(
        wrong,
        corpus=replace(wrong.corpus, dev=("dev.jsonl",)),
        features=FeatureSpec(kind="whisper", n_fft=400, preemphasis=0.0, log_guard=1e-10),
        model=replace(wrong.model, encoder="whisper"),
    )
    prepared = prepare(config, tmp_path, tmp_path / "cache")
    assert prepared.dev[0].indices == (0,)
    assert "1 too short or too long" in prepared.report


def test_nothing_to_learn_from_is_no_traceback(wrong: TrainingConfig, tmp_path: Path) -> None:
    manifest(tmp_path / "m.jsonl", good="")
    with pytest.raises(ManifestError, match=r"utterances to learn from.*1 no text"):
        prepare(wrong, tmp_path, tmp_path / "cache")
