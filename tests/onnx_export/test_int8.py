"""onnx_export.int8 on the shipped model."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from exportables import VARIANTS, untrained

from onnx_export.export import export
from onnx_export.int8 import drift, main, quantize
from otoscope import Recognizer, load
from otoscope.decoding.decoder import open_decoder
from otoscope.decoding.options import BeamOptions
from otoscope.errors import ModelFileError

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "english" / "model.onnx"
SAMPLE = ROOT / "examples" / "sample.flac"


@pytest.mark.slow
def test_it_is_smaller_and_describes_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model.int8.onnx"
    assert main([str(MODEL), "--out", str(out), "--speech", str(SAMPLE)]) == 0
    assert out.stat().st_size < 0.4 * MODEL.stat().st_size
    exact, quantized = Recognizer(MODEL), Recognizer(out)
    assert quantized.spec == exact.spec
    assert quantized.quantized
    assert not exact.quantized
    assert quantized.exact_sha256 == exact.exact_sha256 == exact.sha256
    assert quantized.sha256 != exact.sha256
    assert "difference of probabilities" in capsys.readouterr().out


@pytest.mark.slow
def test_neighbours_do_not_change_a_result(tmp_path: Path) -> None:
    out = tmp_path / "model.int8.onnx"
    quantize(MODEL, out)
    recognizer = Recognizer(out)
    x = recognizer.features(load(SAMPLE, recognizer.spec.features.sample_rate_hz).samples)
    loud = np.full_like(x, 30.0)
    [alone] = recognizer.run_heads([x])
    beside, _ = recognizer.run_heads([x, loud])
    assert np.array_equal(beside.characters, alone.characters)
    lengths = np.full(2, x.shape[0], dtype=np.int64)
    together, _ = recognizer.run_padded(np.stack([x, loud]), lengths)
    assert not np.array_equal(together.characters, alone.characters)  # why they go alone


@pytest.mark.slow
def test_calibration_and_search_are_those_of_the_exact_model(tmp_path: Path) -> None:
    out = tmp_path / "model.int8.onnx"
    quantize(MODEL, out)
    for name in ("calibration.json", "decoding.json"):
        shutil.copy(MODEL.with_name(name), tmp_path)
    made = Recognizer(out)
    decoder = open_decoder(made.spec, made.exact_sha256, out, MODEL.with_name("lm.npz"))
    exact = open_decoder(made.spec, Recognizer(MODEL).sha256, MODEL, None)
    assert decoder.calibration == exact.calibration is not None
    assert decoder.beam == exact.beam != BeamOptions()


@pytest.mark.slow
def test_the_shipped_one_is_what_the_command_makes(tmp_path: Path) -> None:
    out = tmp_path / "model.int8.onnx"
    quantize(MODEL, out)
    shipped, made = Recognizer(MODEL.with_name("model.int8.onnx")), Recognizer(out)
    assert shipped.exact_sha256 == made.exact_sha256
    x = made.features(load(SAMPLE, made.spec.features.sample_rate_hz).samples)
    [theirs], [ours] = shipped.run_heads([x]), made.run_heads([x])
    np.testing.assert_array_equal(theirs.characters, ours.characters)


def test_it_stays_near_the_exact_model() -> None:
    """What leads into the recurrent layers does most of the harm if it is quantized as well."""
    found = drift(MODEL, MODEL.with_name("model.int8.onnx"), [SAMPLE])
    assert 0 < found.divergence < 2.8e-4  # 0.0003 with all matrices in 8 bits
    assert 0 < found.largest < 0.05
    assert found.same > 0.98


def test_a_model_without_lstm_layers_is_refused(tmp_path: Path) -> None:
    export(untrained(VARIANTS["gru, stride 2"]), tmp_path / "model.onnx")
    with pytest.raises(ModelFileError, match="expected LSTM layers"):
        quantize(tmp_path / "model.onnx", tmp_path / "model.int8.onnx")
    assert not (tmp_path / "model.int8.onnx").exists()


def test_what_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    assert main([str(tmp_path / "model.onnx"), "--out", str(tmp_path / "out.onnx")]) == 2
    assert "model.onnx" in capsys.readouterr().err
    assert not (tmp_path / "out.onnx").exists()


def test_nothing_is_recorded_for_anyone(tmp_path: Path) -> None:
    """onnxruntime's telemetry would leave an identifier and an event file in the home."""
    names = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    subprocess.run(
        [sys.executable, "-c", "import onnx_export.int8"],
        env={**environment, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert list(tmp_path.rglob("*")) == []


def test_an_encoder_s_products_are_in_8_bits_and_the_rest_is_not(tmp_path: Path) -> None:
    exact, out = tmp_path / "model.onnx", tmp_path / "model.int8.onnx"
    export(untrained(VARIANTS["whisper"]), exact)
    quantize(exact, out)
    kinds = [node.op_type for node in onnx.load(out).graph.node]
    assert kinds.count("MatMulInteger") == 2 * 6  # query, key, value, out and two of the MLP
    assert kinds.count("DynamicQuantizeLSTM") == 2
    assert kinds.count("Conv") == 2
    assert out.stat().st_size < 0.45 * exact.stat().st_size
    assert drift(exact, out, [SAMPLE]).largest < 0.05
