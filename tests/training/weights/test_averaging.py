"""The mean of models."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from exportables import VARIANTS, untrained

from onnx_export.export import export
from otoscope.vocabulary import Alphabet
from training.__main__ import main
from training.weights import checkpoint

CONFIG = VARIANTS["whisper"]


def save(folder: Path, times: int) -> Path:
    """A model with so many times the weights."""
    exportable = untrained(CONFIG)
    with torch.no_grad():
        for weights in exportable.model.parameters():
            weights.mul_(times)
    path = folder / f"{times}.pt"
    checkpoint.save_exportable(path, exportable)
    return path


def test_each_counts_the_same(tmp_path: Path) -> None:
    paths = [save(tmp_path, times) for times in (1, 2, 6)]
    parts = [checkpoint.load_exportable(path).model.state_dict() for path in paths]
    export(checkpoint.load_exportable(paths[2]), tmp_path / "model.onnx")
    files = [*map(str, paths[:2]), str(tmp_path / "model.onnx")]
    assert main(["average", *files, "--out", str(tmp_path / "mean.pt")]) == 0
    mean = checkpoint.load_exportable(tmp_path / "mean.pt")
    assert mean.config == CONFIG
    assert mean.spec.provenance.dev_cer is None
    for name, values in mean.model.state_dict().items():
        expected = torch.stack([part[name].float() for part in parts]).mean(dim=0)
        torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)
    assert not torch.equal(parts[0]["project.weight"], parts[1]["project.weight"])


def test_what_is_counted_stays(tmp_path: Path) -> None:
    """Batch normalisation has numbers of batches."""
    checkpoint.save_exportable(tmp_path / "one.pt", untrained(VARIANTS["lstm"]))
    files = [str(tmp_path / "one.pt")] * 2
    assert main(["average", *files, "--out", str(tmp_path / "mean.pt")]) == 0
    one, mean = (checkpoint.load(tmp_path / name)["weights"] for name in ("one.pt", "mean.pt"))
    for name, values in one.items():
        torch.testing.assert_close(mean[name], values)


def test_other_symbols_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = untrained(CONFIG)
    symbols = first.spec.alphabet.symbols
    other = Alphabet((*symbols[1:], symbols[0]))
    checkpoint.save_exportable(tmp_path / "a.pt", first)
    swapped = replace(first, spec=replace(first.spec, alphabet=other))
    checkpoint.save_exportable(tmp_path / "b.pt", swapped)
    files = [str(tmp_path / "a.pt"), str(tmp_path / "b.pt")]
    assert main(["average", *files, "--out", str(tmp_path / "mean.pt")]) == 2
    assert "alphabet" in capsys.readouterr().err


def test_another_network_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wider = replace(CONFIG, model=replace(CONFIG.model, hidden=2 * CONFIG.model.hidden))
    checkpoint.save_exportable(tmp_path / "other.pt", untrained(wider))
    files = [str(save(tmp_path, 1)), str(tmp_path / "other.pt")]
    assert main(["average", *files, "--out", str(tmp_path / "mean.pt")]) == 2
    assert "differs in layers.0" in capsys.readouterr().err
    assert not (tmp_path / "mean.pt").exists()
