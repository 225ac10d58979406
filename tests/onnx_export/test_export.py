import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from exportables import SMALL, VARIANTS, untrained

from onnx_export.__main__ import main
from onnx_export.export import export
from onnx_export.parity import TOLERANCE, compare
from otoscope import Recognizer, features, longform
from otoscope.errors import AudioTooLongError, ModelFileError
from otoscope.features import mel_filterbank
from training.config import TrainingConfig
from training.weights.checkpoint import Exportable, save_exportable

SAMPLE = Path(__file__).parents[2] / "examples" / "sample.flac"


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_torch_and_onnx_agree(config: TrainingConfig, tmp_path: Path) -> None:
    exportable, path = untrained(config), tmp_path / "model.onnx"
    export(exportable, path)
    report = compare(exportable, path, [SAMPLE])
    assert report.passed, report.table()
    assert report.max_difference <= TOLERANCE
    assert "sample.flac" in report.table()


def test_the_file_describes_itself(tmp_path: Path) -> None:
    exportable, path = untrained(VARIANTS["lstm"]), tmp_path / "model.onnx"
    export(exportable, path)
    recognizer = Recognizer(path)
    assert recognizer.spec == exportable.spec
    samples = np.random.default_rng(0).standard_normal(16000).astype(np.float32) / 10
    expected = features.extract(
        samples, exportable.spec.features, mel_filterbank(exportable.spec.features)
    )
    np.testing.assert_array_equal(recognizer.features(samples), expected)
    operators = [node.op_type for node in onnx.load(path).graph.node]
    assert operators.count("LSTM") == SMALL.layers  # both directions in one operator
    assert "BatchNormalization" not in operators  # folded into the convolutions


def test_drift_is_seen_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exportable = untrained(VARIANTS["lstm"])
    checkpoint, path = tmp_path / "best.pt", tmp_path / "out" / "model.onnx"
    save_exportable(checkpoint, exportable)
    assert main([str(checkpoint), "--out", str(path.parent)]) == 0
    assert json.loads((path.parent / "parity.json").read_text())["passed"] is True

    def export_another(exportable: Exportable, path: Path) -> None:
        with torch.no_grad():
            exportable.model.output.bias[0] += 0.01
        export(exportable, path)
        with torch.no_grad():
            exportable.model.output.bias[0] -= 0.01

    monkeypatch.setattr("onnx_export.__main__.export", export_another)
    assert main([str(checkpoint), "--out", str(path)]) == 1
    assert "FAILED" in capsys.readouterr().out
    assert json.loads((path.parent / "parity.json").read_text())["passed"] is False


def test_a_missing_checkpoint_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "no.pt"), "--out", str(tmp_path / "model.onnx")]) == 2
    assert "no.pt" in capsys.readouterr().err


def test_a_model_that_contradicts_its_spec_is_refused(tmp_path: Path) -> None:
    exportable, path = untrained(VARIANTS["lstm"]), tmp_path / "model.onnx"
    export(exportable, path)
    graph = onnx.load(path)
    for entry in graph.metadata_props:
        if entry.key == "otoscope.spec":
            entry.value = replace(
                exportable.spec, alphabet=replace(exportable.spec.alphabet, symbols=("a", "b"))
            ).to_json()
    onnx.save(graph, path)
    with pytest.raises(ModelFileError, match="3 classes"):
        Recognizer(path)


def test_a_recording_longer_than_the_encoder_reads_goes_in_windows(tmp_path: Path) -> None:
    export(untrained(VARIANTS["whisper, halved"]), tmp_path / "model.onnx")
    recognizer = Recognizer(tmp_path / "model.onnx")
    samples = np.random.default_rng(0).standard_normal(31 * 16000).astype(np.float32) / 10
    with pytest.raises(AudioTooLongError, match=r"at most 30 s at once, got 31\.0 s"):
        recognizer.features(samples)
    recognition = longform.recognize(recognizer, [samples])
    assert recognition.posteriors.log_probs.shape[0] == 31 * 25
