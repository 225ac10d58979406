"""Texts that teachers write: kept if they are sure and agree, and signed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from otoscope import Recognizer
from otoscope.decoding.decoder import open_decoder
from otoscope.errors import ModelFileError
from training.__main__ import main
from training.text.pseudo_labels import Limits, label, own_teacher

SAMPLE = Path(__file__).parents[3] / "examples" / "sample.flac"
HEARD = "was a long time before he came home to his father"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "torn.wav").write_bytes(b"no audio")
    rows = [{"audio_filepath": str(name), "text": ""} for name in (SAMPLE, tmp_path / "torn.wav")]
    path = tmp_path / "unlabelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_model_writes_texts_and_signs_them(
    sentence_model: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "labelled.jsonl"
    arguments = ["label", str(manifest), "--model", str(sentence_model), "--out", str(out)]
    assert main([*arguments, "--least", "0.3"]) == 0
    assert "1 of 2 utterances" in (said := capsys.readouterr().out)
    assert "1 not readable" in said
    [row] = map(json.loads, out.read_text().splitlines())
    recognizer = Recognizer(sentence_model)
    assert row["text"] == HEARD
    assert row["text_by"] == f"{recognizer.spec.name} {recognizer.sha256[:8]}"
    assert 0.3 <= row["confidence"] <= 1
    assert main([*arguments, "--least", "1.0"]) == 0
    assert "1 not sure enough" in capsys.readouterr().out
    assert out.read_text() == ""


def test_two_teachers_have_to_agree(sentence_model: Path, manifest: Path, tmp_path: Path) -> None:
    recognizer = Recognizer(sentence_model)
    decoder = open_decoder(recognizer.spec, recognizer.exact_sha256, sentence_model, None)
    without = replace(decoder, language_model=None)
    teachers = [own_teacher(recognizer, each) for each in (decoder, without)]
    out = tmp_path / "labelled.jsonl"
    assert "disagree" in label(teachers, manifest, Limits(0.1, 0.01), out)
    assert label(teachers, manifest, Limits(0.1, 0.2), out).startswith("1 of 2")
    with pytest.raises(ModelFileError, match=r"calibration\.json"):
        own_teacher(recognizer, replace(decoder, calibration=None))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [([], "expected a teacher"), (["--whisper", "base"], "--language")],
)
def test_a_teacher_and_its_language_are_needed(
    manifest: Path,
    tmp_path: Path,
    arguments: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = str(tmp_path / "labelled.jsonl")
    assert main(["label", str(manifest), "--out", out, *arguments]) == 2
    assert named in capsys.readouterr().err
