"""Rates and averages of long runs and of short ones."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from training.config import OptimiserConfig
from training.run.schedule import averaging, learning_rate, warmup_steps, warnings

OPTIMISER = OptimiserConfig(peak_learning_rate=1.0, warmup_steps=500)


def test_it_rises_to_the_peak_and_falls_to_a_hundredth() -> None:
    rates = [learning_rate(step, 5000, OPTIMISER) for step in range(5000)]
    assert rates[0] == pytest.approx(1 / 500)
    assert rates[499] == pytest.approx(1.0)
    assert rates[2749] == pytest.approx(0.505, abs=0.002)
    assert rates[-1] == pytest.approx(0.01, abs=0.001)


def test_a_run_of_few_steps_reaches_the_peak_as_well() -> None:
    rates = [learning_rate(step, 66, OPTIMISER) for step in range(66)]
    assert warmup_steps(66, OPTIMISER) == 13
    assert max(rates) == rates[12] == pytest.approx(1.0)
    assert rates[-1] < 0.02
    said = warnings(66, OPTIMISER, begins_with_weights=False)
    assert "500 of 66 steps" in said
    assert "13 are used" in said
    assert "66 steps are few" in said
    assert "few:" not in warnings(66, OPTIMISER, begins_with_weights=True)
    assert warnings(5000, OPTIMISER, begins_with_weights=False) == ""


@pytest.mark.parametrize(("steps", "most_of_the_first"), [(66, 1e-4), (10_000, 1e-6)])
def test_an_average_forgets_the_first_weights(steps: int, most_of_the_first: float) -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    average = AveragedModel(model, multi_avg_fn=averaging(0.998), use_buffers=True)
    average.update_parameters(model)
    nn.init.zeros_(model.weight)
    for _ in range(steps):
        average.update_parameters(model)
    left = float(average.module.weight.detach())
    assert 0 <= left < most_of_the_first
    # Long after, it is the average with the decay that was asked for.
    nn.init.ones_(model.weight)
    average.n_averaged.fill_(10_000)
    average.update_parameters(model)
    assert float(average.module.weight.detach()) == pytest.approx(0.002, abs=1e-5)
    assert torch.isfinite(average.module.weight).all()
