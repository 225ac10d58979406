"""Weights of two models mixed: what comes out, by the dev sets' word."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from onnx_export.export import export
from otoscope.errors import ModelFileError
from training.__main__ import main
from training.config import read_config
from training.data.prepare import prepare_dev
from training.evaluation.metrics import DevScores
from training.model.network import AcousticModel
from training.run.validation import evaluate
from training.weights import checkpoint
from training.weights.averaging import SHARES, average, mix
from training.weights.batchnorm import fold
from training.weights.checkpoint import Exportable

Evaluate = Callable[[AcousticModel], DevScores]


@pytest.fixture
def measured(tones: Path, config_path: Path) -> Evaluate:
    config = read_config(config_path)
    dev = prepare_dev(config, tones, tones / "cache")
    return lambda model: evaluate(model, dev, config)


def shaken(run: Path, out: Path) -> Path:
    """What the run learned, and noise on top of it."""
    exportable = checkpoint.load_exportable(run / "best.pt")
    torch.manual_seed(5)
    weights = {
        name: values + 0.3 * torch.randn_like(values) if values.dim() > 1 else values
        for name, values in exportable.model.state_dict().items()
    }
    exportable.model.load_state_dict(weights)
    checkpoint.save_exportable(out, exportable)
    return out


def function(exportable: Exportable) -> torch.Tensor:
    torch.manual_seed(6)
    bins = exportable.config.features.bins
    with torch.inference_mode():
        found, _ = exportable.model(torch.randn(2, 60, bins), torch.tensor([60, 41]))
    return found


def test_folded_weights_are_the_same_function(whole_run: Path) -> None:
    exportable = checkpoint.load_exportable(whole_run / "best.pt")
    before = function(exportable)
    exportable.model.load_state_dict(fold(exportable.model.state_dict()))
    torch.testing.assert_close(function(exportable), before, atol=1e-5, rtol=1e-4)


def test_a_mixture_lies_between() -> None:
    ours, theirs = {"a": torch.zeros(2), "n": torch.tensor(3)}, {"a": torch.ones(2)}
    mixed = mix(ours, theirs, 0.25)
    assert mixed["a"].tolist() == [0.25, 0.25]
    assert mixed["n"] == 3


@pytest.mark.parametrize("exported", [False, True])
def test_the_better_of_two_gets_the_larger_share(
    whole_run: Path, measured: Evaluate, tmp_path: Path, *, exported: bool
) -> None:
    worse = shaken(whole_run, tmp_path / "worse.pt")
    better = whole_run / "best.pt"
    if exported:
        export(checkpoint.load_exportable(better), tmp_path / "better.onnx")
        better = tmp_path / "better.onnx"
    said: list[str] = []
    mixed = average(checkpoint.load_exportable(worse), [better], measured, said.append)
    assert len(said) == 1 + len(SHARES)
    cers = [float(line.split("dev CER ")[1].split(" ")[0]) for line in said]
    assert mixed.spec.provenance.dev_cer == pytest.approx(min(cers) / 100, abs=0.001)
    assert min(cers) < cers[0]
    expected = fold(checkpoint.load_exportable(whole_run / "best.pt").model.state_dict())
    ours, start = (
        one["output.weight"]
        for one in (mixed.model.state_dict(), checkpoint.load_exportable(worse).model.state_dict())
    )
    share = (
        1 - (ours - expected["output.weight"]).norm() / (start - expected["output.weight"]).norm()
    )
    assert share.item() == pytest.approx(SHARES[cers.index(min(cers)) - 1], abs=0.01)


def test_evenly_means_evenly(whole_run: Path, measured: Evaluate, tmp_path: Path) -> None:
    best = whole_run / "best.pt"
    worse = shaken(whole_run, tmp_path / "worse.pt")
    said: list[str] = []
    mixed = average(
        checkpoint.load_exportable(best), [best, worse], measured, said.append, evenly=True
    )
    assert len(said) == 3
    ours, learned, other = (
        one.model.state_dict()["output.weight"]
        for one in (mixed, checkpoint.load_exportable(best), checkpoint.load_exportable(worse))
    )
    torch.testing.assert_close(ours, (2 * learned + other) / 3)


def test_what_does_not_help_is_left_out(
    whole_run: Path, measured: Evaluate, tmp_path: Path
) -> None:
    best, deaf = (checkpoint.load_exportable(whole_run / "best.pt") for _ in range(2))
    blank = best.spec.alphabet.blank_index
    with torch.inference_mode():
        deaf.model.output.bias[blank] += 1000.0  # a tenth of it, and no letter is heard
    checkpoint.save_exportable(tmp_path / "deaf.pt", deaf)
    mixed = average(
        checkpoint.load_exportable(whole_run / "best.pt"), [tmp_path / "deaf.pt"], measured
    )
    torch.testing.assert_close(function(mixed), function(best), atol=1e-5, rtol=1e-4)


def test_the_command_writes_a_checkpoint_to_export(
    whole_run: Path, tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best, out = str(whole_run / "best.pt"), tmp_path / "new" / "averaged.pt"
    where = ["--corpus", str(tones), "--cache", str(tones / "cache"), "--out", str(out)]
    assert main(["average", best, best, *where]) == 0
    assert f"{out}: dev CER" in capsys.readouterr().out
    export(checkpoint.load_exportable(out), tmp_path / "model.onnx")


def test_models_of_another_form_are_refused(
    whole_run: Path, measured: Evaluate, tmp_path: Path
) -> None:
    best = checkpoint.load_exportable(whole_run / "best.pt")
    config = replace(best.config, model=replace(best.config.model, hidden=16))
    model = AcousticModel(config.model, config.features.bins, best.spec.alphabet.size)
    narrow = tmp_path / "narrow.pt"
    checkpoint.save_exportable(narrow, replace(best, model=model, config=config))
    with pytest.raises(ModelFileError, match=r"narrow\.pt: expected a model of the same form"):
        average(best, [narrow], measured)


def test_there_has_to_be_something_to_choose_by(whole_run: Path) -> None:
    with pytest.raises(ModelFileError, match="dev manifests"):
        average(checkpoint.load_exportable(whole_run / "best.pt"), [], lambda _: DevScores({}))
