"""Bottlenecks fitted into a model that has learned without them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from exportables import PHONEME_VARIANTS, SMALL, VARIANTS, untrained

from onnx_export.export import export
from training.config import TrainingConfig
from training.data.dataset import Batch
from training.model.network import AcousticModel, describe
from training.weights import low_rank
from training.weights.warm_start import warm_start

WIDTH = 2 * SMALL.hidden


def speech(config: TrainingConfig, seed: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([400, 350, 120])
    nothing = torch.zeros(3, 1, dtype=torch.int64), torch.zeros(3, dtype=torch.int64)
    features = torch.randn(3, 400, config.features.bins, generator=generator)
    return Batch(features, lengths, *nothing, *nothing)


def narrow(config: TrainingConfig, width: int) -> AcousticModel:
    torch.manual_seed(1)
    shape = replace(config.model, bottleneck=width)
    return AcousticModel(shape, config.features.bins, config.alphabet.size, config.phonemes.size)


def begun(config: TrainingConfig, width: int, folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """log P of what `config` is and of what begins with it behind bottlenecks of `width`."""
    exportable = untrained(config)
    export(exportable, folder / "model.onnx")
    model = narrow(config, width)
    batch = speech(config)
    warm_start(folder / "model.onnx", model, lambda: [batch])
    with torch.inference_mode():
        expected, lengths = exportable.model(batch.features, batch.lengths)
        got, _ = model.eval()(batch.features, batch.lengths)
    own = torch.arange(expected.shape[1]) < lengths.unsqueeze(1)
    return expected[own], got[own]


@pytest.mark.parametrize(
    "config",
    [
        VARIANTS["lstm"],
        VARIANTS["gru, stride 2"],
        VARIANTS["unidirectional mfcc"],
        *PHONEME_VARIANTS.values(),
    ],
)
def test_as_wide_as_the_input_it_changes_nothing(config: TrainingConfig, tmp_path: Path) -> None:
    width = 2 * SMALL.hidden if config.model.bidirectional else SMALL.hidden
    expected, got = begun(config, width, tmp_path)
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-3)


def test_the_wider_the_nearer(tmp_path: Path) -> None:
    distances = []
    for width in (4, 8, 16, 24):
        expected, got = begun(VARIANTS["lstm"], width, tmp_path)
        distances.append((expected.exp() * (expected - got)).sum(-1).mean().item())
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.2 * distances[0]


def test_what_speech_never_does_costs_no_width() -> None:
    """Inputs that lie in a plane through their mean are read without loss through two numbers."""
    torch.manual_seed(0)
    plane, mean = torch.randn(WIDTH, 2), torch.randn(WIDTH)
    y = (torch.randn(500, 2) @ plane.T + mean).double()
    weights = {
        f"layers.0.{direction}.{name}": torch.randn(4 * SMALL.hidden, *shape)
        for direction in ("forwards", "backwards")
        for name, shape in (("weight_ih_l0", (WIDTH,)), ("bias_ih_l0", ()))
    }
    made = low_rank.factors(weights, "layers.0", y, rank=2)
    through = y.float() @ made["layers.0.bottleneck.weight"].T
    assert through.shape == (500, 2)
    for direction in ("forwards", "backwards"):
        name = f"layers.0.{direction}"
        got = through @ made[f"{name}.weight_ih_l0"].T + made[f"{name}.bias_ih_l0"]
        expected = y.float() @ weights[f"{name}.weight_ih_l0"].T + weights[f"{name}.bias_ih_l0"]
        torch.testing.assert_close(got, expected, atol=2e-2, rtol=1e-3)


def test_bottlenecks_that_are_there_are_taken_over(tmp_path: Path) -> None:
    config = VARIANTS["lstm behind bottlenecks"]
    exportable = untrained(config)
    export(exportable, tmp_path / "model.onnx")
    model = narrow(config, config.model.bottleneck)
    batch = speech(config)
    warm_start(tmp_path / "model.onnx", model, lambda: [batch])
    with torch.inference_mode():
        expected, _ = exportable.model(batch.features, batch.lengths)
        got, _ = model.eval()(batch.features, batch.lengths)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        pytest.param({"layers": 3}, 2, id="a layer more"),
        pytest.param({"hidden": 24}, 0, id="other sizes"),
    ],
)
def test_what_has_no_like_begins_at_random(
    shape: dict[str, int], layer: int, tmp_path: Path
) -> None:
    config = VARIANTS["lstm"]
    export(untrained(config), tmp_path / "model.onnx")
    model = narrow(replace(config, model=replace(config.model, **shape)), 8)  # type: ignore[arg-type]
    fresh = {name: values.clone() for name, values in model.layers[layer].state_dict().items()}
    warm_start(tmp_path / "model.onnx", model, lambda: [speech(config)])
    for name, values in model.layers[layer].state_dict().items():
        assert torch.equal(values, fresh[name])


def test_it_is_said() -> None:
    assert "behind bottlenecks of 10" in describe(VARIANTS["lstm behind bottlenecks"].model)
    assert "bottleneck" not in describe(SMALL)
