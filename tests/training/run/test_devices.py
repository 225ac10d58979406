"""Where a run computes."""

import os
from pathlib import Path

import pytest
import torch
from tone_runs import fit_arguments

from training.__main__ import main
from training.run.devices import choose_device, loader_processes

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


def test_processors_are_chosen_where_they_are_asked_for() -> None:
    assert choose_device("cpu") == torch.device("cpu")


@without_gpu
def test_processors_are_chosen_where_there_is_nothing_else() -> None:
    assert choose_device("auto", 3) == torch.device("cpu")


@without_gpu
def test_a_gpu_that_is_not_there_is_refused(
    config_path: Path, tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main([*fit_arguments(config_path, tones, run), "--device", "cuda"]) == 2
    assert "--device cuda: expected a CUDA GPU for each process" in capsys.readouterr().err
    assert not run.exists()


def test_a_gpu_has_the_processors_make_its_batches() -> None:
    processors = os.cpu_count() or 1
    assert loader_processes(torch.device("cpu"), 1) == 1
    assert loader_processes(torch.device("cuda"), 1) == processors
    assert loader_processes(torch.device("cuda"), 2 * processors) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_it_learns_on_a_gpu(config_path: Path, tones: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main([*fit_arguments(config_path, tones, run), "--device", "cuda"]) == 0
    assert (run / "best.pt").is_file()
