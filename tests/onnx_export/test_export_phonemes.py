"""The third output: phonemes in the graph, in the spec, and in what the recogniser returns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from exportables import PHONEME_VARIANTS, PHONEMES, SMALL, untrained

from onnx_export.__main__ import main
from onnx_export.export import export
from onnx_export.parity import compare
from otoscope import ARPABET, PhonemeSet, Recognizer
from otoscope.errors import ModelFileError
from otoscope.recognizer import OUTPUTS, PHONEME_OUTPUT, SPEC_KEY
from training.config import LossConfig, TrainingConfig
from training.weights.checkpoint import Exportable, save_exportable


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    export(untrained(PHONEMES), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


@pytest.mark.parametrize("config", PHONEME_VARIANTS.values(), ids=PHONEME_VARIANTS.keys())
def test_torch_and_onnx_agree(config: TrainingConfig, tmp_path: Path) -> None:
    exportable, path = untrained(config), tmp_path / "model.onnx"
    export(exportable, path)
    report = compare(exportable, path, [])
    assert report.passed, report.table()
    recognizer = Recognizer(path)
    assert recognizer.spec.phonemes == config.phonemes
    outputs = [output.name for output in onnx.load(path).graph.output]
    assert outputs == [*OUTPUTS, PHONEME_OUTPUT]  # the intermediate head is for training alone


def test_drift_of_the_phonemes_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exportable, checkpoint = untrained(PHONEMES), tmp_path / "best.pt"
    save_exportable(checkpoint, exportable)

    def export_another(exportable: Exportable, path: Path) -> None:
        assert exportable.model.phoneme_head is not None
        bias = exportable.model.phoneme_head.output.bias
        with torch.no_grad():
            bias[0] += 0.01
        export(exportable, path)
        with torch.no_grad():
            bias[0] -= 0.01

    arguments = [str(checkpoint), "--out", str(tmp_path / "out" / "model.onnx")]
    assert main(arguments) == 0
    monkeypatch.setattr("onnx_export.__main__.export", export_another)
    assert main(arguments) == 1
    assert "FAILED" in capsys.readouterr().out


def waveforms() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        (0.1 * rng.standard_normal(round(16000 * s))).astype(np.float32) for s in (1.3, 0.1, 2.17)
    ]


def test_posteriors_carry_both_over_the_same_frames(exported: Path) -> None:
    for posteriors in Recognizer(exported).posteriors(waveforms()):
        assert posteriors.phonemes is not None
        assert posteriors.phonemes.phonemes == ARPABET
        log_probs = posteriors.phonemes.log_probs
        assert log_probs.dtype == np.float32
        assert log_probs.shape == (posteriors.log_probs.shape[0], 40)
        np.testing.assert_allclose(posteriors.phonemes.probs.sum(axis=1), 1, atol=1e-4)


def test_phonemes_of_an_item_do_not_depend_on_its_neighbours(exported: Path) -> None:
    recognizer = Recognizer(exported)
    for samples, together in zip(waveforms(), recognizer.posteriors(waveforms()), strict=True):
        [alone] = recognizer.posteriors([samples])
        assert together.phonemes is not None
        assert alone.phonemes is not None
        assert together.phonemes.log_probs.shape == alone.phonemes.log_probs.shape
        assert np.abs(together.phonemes.log_probs - alone.phonemes.log_probs).max() <= 1e-5


@pytest.mark.parametrize(
    ("phonemes", "message"),
    [
        (None, r"outputs \('log_probs', 'out_lengths'\), got .*'phoneme_log_probs'\)"),
        (PhonemeSet(("x", "y")), "expected 3 phoneme classes as its spec says, got 40"),
    ],
)
def test_a_graph_whose_phonemes_contradict_its_spec_is_refused(
    exported: Path, phonemes: PhonemeSet | None, message: str
) -> None:
    spec = replace(Recognizer(exported).spec, phonemes=phonemes)
    _rewrite_spec(exported, spec.to_json())
    with pytest.raises(ModelFileError, match=message):
        Recognizer(exported)


def test_a_spec_that_promises_phonemes_needs_their_output(tmp_path: Path) -> None:
    plain = replace(PHONEMES, model=replace(SMALL, phoneme_layer=0), loss=LossConfig())
    path = tmp_path / "model.onnx"
    export(untrained(plain), path)
    spec = Recognizer(path).spec
    assert spec.phonemes is None
    _rewrite_spec(path, replace(spec, phonemes=ARPABET).to_json())
    with pytest.raises(ModelFileError, match=r"'phoneme_log_probs'\), got"):
        Recognizer(path)


def _rewrite_spec(path: Path, text: str) -> None:
    graph = onnx.load(path)
    for entry in graph.metadata_props:
        if entry.key == SPEC_KEY:
            entry.value = text
    onnx.save(graph, path)
