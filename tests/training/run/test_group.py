"""One run in several processes, as torchrun starts them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tone_runs import ENVIRONMENT, EPOCHS, fit_arguments

from training.__main__ import main
from training.data.dataset import Draw, Part
from training.run.group import Group
from training.weights import checkpoint

TOLERANCE = 1e-4
"""Of losses, relative: sums in another order, over three epochs. Measured: 6e-7 after one."""

UTTERANCES = 24


@pytest.fixture
def config(phoneme_config_path: Path, tones: Path) -> Path:
    """All losses, two views, batch normalisation, and no dropout, which each process draws."""
    lines = (tones / "train.jsonl").read_text().splitlines(keepends=True)
    (tones / "few.jsonl").write_text("".join(lines[:UTTERANCES]))
    text = phoneme_config_path.read_text()
    for old, new in (("train.jsonl", "few.jsonl"), ("dropout = 0.1", "dropout = 0.0")):
        assert old in text
        text = text.replace(old, new)
    path = tones / "group.toml"
    path.write_text(text, encoding="utf-8")
    return path


def fit(config: Path, tones: Path, run: Path, epochs: int, processes: int) -> None:
    now = config.with_name(f"group-{epochs}.toml")
    now.write_text(config.read_text().replace(f"epochs = {EPOCHS}", f"epochs = {epochs}"))
    arguments = fit_arguments(now, tones, run)
    if processes == 1:
        assert main(arguments) == 0
        return
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "--", "training", *arguments]
    done = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("done: ") == 1


@pytest.mark.slow
def test_several_processes_learn_what_one_does(config: Path, tones: Path, tmp_path: Path) -> None:
    """And a run goes on with more or fewer of them."""
    one, several = tmp_path / "one", tmp_path / "several"
    fit(config, tones, one, 1, 1)
    shutil.copytree(one, several)
    for epochs, processes in ((2, 2), (3, 1)):
        fit(config, tones, one, epochs, 1)
        fit(config, tones, several, epochs, processes)
    expected, got = (
        [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
        for run in (one, several)
    )
    assert len(expected) > 3 * 4
    for a, b in zip(expected, got, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            assert b[key] == pytest.approx(a[key], rel=TOLERANCE), (a["step"], key)
    first, second = (checkpoint.load(run / "last.pt") for run in (one, several))
    assert second["progress"] == pytest.approx(first["progress"])
    for name, weights in first["model"].items():
        torch.testing.assert_close(second["model"][name], weights, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize(("utterances", "size"), [(7, 2), (6, 3), (1, 2), (2, 3)])
def test_each_utterance_is_read_once(views: int, utterances: int, size: int) -> None:
    draws = [Draw(0, (Part(n, 0),), view) for view in range(views) for n in range(utterances)]
    parts = [Group(rank, size).part(draws) for rank in range(size)]
    read = [draw for part in parts[:utterances] for draw in part]
    assert sorted(read, key=draws.index) == draws
    for part in parts:
        count = len(part) // views
        numbers = np.array([draw.parts[0].example for draw in part]).reshape(views, count)
        assert (numbers == numbers[0]).all()  # all first views, then all second ones
    assert all(part == draws[::utterances] for part in parts[utterances:])  # stand-ins
    assert Group().part(draws) == draws
