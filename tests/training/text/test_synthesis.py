import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile

from otoscope import ENGLISH
from training.text.synthesis import PITCH_HZ, SynthesisError, speak

needs_flite = pytest.mark.skipif(
    shutil.which("flite") is None, reason="needs flite: apt-get install flite"
)
WANTED = {"utterances": 3, "words": (3, 6), "seed": 7}
TEXT = "One little word came. No. Two little words came along. Three words came home.\n" + (
    "This is a sentence with many more words than were asked for in this test. I do not know."
)


@pytest.fixture
def novel(tmp_path: Path) -> Path:
    path = tmp_path / "novel.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def rows(manifest: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]


@needs_flite
def test_the_manifest_says_what_the_recordings_are(novel: Path, tmp_path: Path) -> None:
    out = tmp_path / "synthetic" / "train.jsonl"
    spoken = speak([novel], [], ENGLISH, out, **WANTED)
    written = rows(out)
    assert (spoken.utterances, spoken.sentences) == (3, 4)
    assert len({row["text"] for row in written}) == 3
    for row in written:
        info = soundfile.info(out.parent / row["audio_filepath"])
        assert (info.samplerate, info.channels) == (16000, 1)
        assert row["duration"] == pytest.approx(info.duration, abs=0.001)
        assert 0.5 < info.duration < 5
        assert 3 <= len(row["text"].split()) <= 6
        assert row["speaker"] in PITCH_HZ
    assert spoken.seconds == pytest.approx(sum(row["duration"] for row in written))


@needs_flite
def test_the_same_seed_gives_the_same_speech(novel: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one" / "train.jsonl", tmp_path / "other" / "train.jsonl"
    for out in (one, other):
        speak([novel], [], ENGLISH, out, **WANTED)
    assert rows(one) == rows(other)


@needs_flite
def test_what_a_model_is_measured_on_is_not_spoken(novel: Path, tmp_path: Path) -> None:
    dev = tmp_path / "dev.jsonl"
    dev.write_text(json.dumps({"audio_filepath": "a.wav", "text": "Two little words came along!"}))
    out = tmp_path / "synthetic" / "train.jsonl"
    assert speak([novel], [dev], ENGLISH, out, utterances=9, words=(3, 6)).utterances == 3
    assert "two little words came along" not in {row["text"] for row in rows(out)}


@needs_flite
def test_a_text_without_a_fitting_sentence_is_refused(novel: Path, tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match="expected sentences of 30 to 40 words, got none"):
        speak([novel], [], ENGLISH, tmp_path / "train.jsonl", utterances=1, words=(30, 40))


def test_a_missing_flite_is_named(
    novel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisError, match="apt-get install flite"):
        speak([novel], [], ENGLISH, tmp_path / "train.jsonl", **WANTED)
