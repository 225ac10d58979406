"""Options of a search that suit a model."""

import json
import shutil
from pathlib import Path

import pytest

from otoscope import Recognizer
from otoscope.decoding.options import BeamOptions, ModelDecoding
from otoscope.sidecars import read_sidecar, write_sidecar
from training.__main__ import main

ROOT = Path(__file__).parents[3]
SAID = "it was a long time before he came home to his father"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "dev.jsonl"
    row = {"audio_filepath": str(ROOT / "examples/sample.flac"), "duration": 3.395, "text": SAID}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return path


def test_better_options_are_found(
    tmp_path: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("model.int8.onnx", "calibration.json"):
        shutil.copy(ROOT / "models/english-small" / name, tmp_path / name)
    model = tmp_path / "model.int8.onnx"
    sha256 = Recognizer(model).exact_sha256
    neutral = BeamOptions(beam_width=20)
    write_sidecar(tmp_path / "decoding.json", ModelDecoding(sha256, neutral))
    lm = ROOT / "models/english/lm.npz"
    arguments = ["tune", str(manifest), "--model", str(model), "--lm", str(lm), "--rounds", "1"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    rates = [float(line.split()[1]) for line in told.splitlines() if line.startswith("WER ")]
    assert len(rates) > 1
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < rates[0]
    found = read_sidecar(tmp_path / "decoding.json", sha256, ModelDecoding)
    assert found is not None
    assert found.beam != neutral
    assert found.beam.beam_width == 20
    before = (ROOT / "models/english-small/calibration.json").read_text()
    assert (tmp_path / "calibration.json").read_text() != before  # of the new search
    assert "calibration error" in told


def test_a_model_without_priors_is_refused(
    tmp_path: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shutil.copy(ROOT / "models/english-small/model.int8.onnx", tmp_path)
    lm = ROOT / "models/english/lm.npz"
    assert main(["tune", str(manifest), "--model", str(model), "--lm", str(lm)]) == 2
    assert "calibration.json (python -m training calibrate)" in capsys.readouterr().err
