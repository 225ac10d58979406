"""onnx_export.int8: what is rounded, and what the file says of itself."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from exportables import VARIANTS, untrained

from onnx_export.export import export
from onnx_export.int8 import drift, main, quantize
from otoscope import ENGLISH, Recognizer, load
from otoscope.calibration import Calibration
from otoscope.decoding.decoder import open_decoder
from otoscope.decoding.options import BeamOptions, ModelDecoding
from otoscope.errors import ModelFileError
from otoscope.sidecars import write_sidecar

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "examples" / "sample.flac"


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported model with an encoder."""
    path = tmp_path_factory.mktemp("exact") / "model.onnx"
    export(untrained(VARIANTS["whisper"]), path)
    return path


@pytest.fixture(scope="module")
def quantized(exact: Path) -> Path:
    quantize(exact, exact.with_name("model.int8.onnx"))
    return exact.with_name("model.int8.onnx")


def test_it_is_smaller_and_describes_itself(
    exact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model.int8.onnx"
    assert main([str(exact.parent), "--out", str(out), "--speech", str(SAMPLE)]) == 0
    assert out.stat().st_size < 0.45 * exact.stat().st_size
    before, after = Recognizer(exact), Recognizer(out)
    assert after.spec == before.spec
    assert after.quantized
    assert not before.quantized
    assert after.exact_sha256 == before.exact_sha256 == before.sha256
    assert after.sha256 != before.sha256
    assert "difference of probabilities" in capsys.readouterr().out


def test_neighbours_do_not_change_a_result(quantized: Path) -> None:
    recognizer = Recognizer(quantized)
    x = recognizer.features(load(SAMPLE, recognizer.spec.features.sample_rate_hz).samples)
    loud = np.full_like(x, 30.0)
    [alone] = recognizer.run_heads([x])
    beside, _ = recognizer.run_heads([x, loud])
    assert np.array_equal(beside.characters, alone.characters)
    lengths = np.full(2, x.shape[0], dtype=np.int64)
    together, _ = recognizer.run_padded(np.stack([x, loud]), lengths)
    assert not np.array_equal(together.characters, alone.characters)  # why they go alone


def test_calibration_and_search_are_those_of_the_exact_model(exact: Path, quantized: Path) -> None:
    sha256, beam = Recognizer(exact).sha256, BeamOptions(lm_weight=0.3)
    priors = (1 / ENGLISH.size,) * ENGLISH.size
    write_sidecar(exact.with_name("calibration.json"), Calibration(sha256, priors, {}))
    write_sidecar(exact.with_name("decoding.json"), ModelDecoding(sha256, beam))
    made = Recognizer(quantized)
    decoder = open_decoder(made.spec, made.exact_sha256, quantized, None)
    assert decoder.calibration == Calibration(sha256, priors, {})
    assert decoder.beam == beam


def test_products_of_encoder_and_lstm_are_in_8_bits_and_the_rest_is_not(
    exact: Path, quantized: Path
) -> None:
    kinds = [node.op_type for node in onnx.load(quantized).graph.node]
    assert kinds.count("MatMulInteger") == 2 * 6  # query, key, value, out and two of the MLP
    assert kinds.count("DynamicQuantizeLSTM") == 2
    assert kinds.count("Conv") == 2
    found = drift(exact, quantized, [SAMPLE])
    assert 0 < found.largest < 0.05
    assert 0 < found.divergence < 1e-3
    assert 0.8 < found.same <= 1


def test_named_products_stay_exact(exact: Path, quantized: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.int8.onnx"
    quantize(exact, out, ["blocks.0/mlp/mlp.2"])
    left = [
        {node.name for node in onnx.load(path).graph.node if node.op_type == "MatMul"}
        for path in (quantized, out)
    ]
    assert left[1] - left[0] == {"/encoder/blocks.0/mlp/mlp.2/MatMul"}
    with pytest.raises(ModelFileError, match="got nothing-like"):
        quantize(exact, out, ["nothing-like"])


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
