"""onnx_export.int8 on the shipped model."""

from pathlib import Path

import pytest

from onnx_export.int8 import main
from otoscope import Recognizer

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "english" / "model.onnx"
SAMPLE = ROOT / "examples" / "sample.flac"


def test_it_is_smaller_and_describes_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model.int8.onnx"
    assert main([str(MODEL), "--out", str(out), "--speech", str(SAMPLE)]) == 0
    assert out.stat().st_size < 0.4 * MODEL.stat().st_size
    exact, quantised = Recognizer(MODEL), Recognizer(out)
    assert quantised.spec == exact.spec
    assert quantised.sha256 != exact.sha256
    assert "difference of probabilities" in capsys.readouterr().out


def test_what_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    assert main([str(tmp_path / "model.onnx"), "--out", str(tmp_path / "out.onnx")]) == 2
    assert "model.onnx" in capsys.readouterr().err
    assert not (tmp_path / "out.onnx").exists()
