"""Training on a language of tones, small enough to learn in seconds: each letter is a frequency."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="training needs torch")

from training.__main__ import main

COMMAND = [sys.executable, "-m", "training"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SYMBOLS = "abcd "
RATE_HZ = 16000
LETTER_S = 0.12
FREQUENCIES_HZ = {"a": 400.0, "b": 900.0, "c": 1900.0, "d": 3500.0}


def sing(text: str, rng: np.random.Generator) -> np.ndarray:
    """Tones for letters with short gaps, quiet for spaces, over faint noise."""
    times = np.arange(int(LETTER_S * RATE_HZ)) / RATE_HZ
    envelope = np.hanning(times.size)
    parts = [np.zeros(1600)]
    for character in text:
        tone = np.zeros_like(times)
        if character != " ":
            tone = 0.4 * envelope * np.sin(2 * np.pi * FREQUENCIES_HZ[character] * times)
        parts += [tone, np.zeros(480)]
    samples = np.concatenate([*parts, np.zeros(1600)])
    return (samples + 0.003 * rng.standard_normal(samples.size)).astype(np.float32)


def write_corpus(folder: Path, name: str, count: int, seed: int) -> Path:
    """Sing `count` random sentences into `folder` and write their manifest."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        words = [
            "".join(rng.choice(list("abcd"), size=rng.integers(1, 5)))
            for _ in range(rng.integers(1, 4))
        ]
        path = folder / f"{name}-{number}.wav"
        soundfile.write(path, sing(" ".join(words), rng), RATE_HZ)
        rows.append({"audio_filepath": path.name, "text": " ".join(words), "speaker": "tones"})
    manifest = folder / f"{name}.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return manifest


def fit_arguments(config: Path, tones: Path, run: Path) -> list[str]:
    cache = str(tones / "cache")
    where = ["--corpus", str(tones), "--cache", cache, "--run", str(run), "--threads", "1"]
    return ["fit", str(config), *where]


EPOCHS = 4
"""Enough to learn them."""

CONFIG = """
name = "tones"
seed = 3
alphabet = "abcd "

[corpus]
dev = ["dev.jsonl"]
noise = "noise.jsonl"
speeds = [0.9, 1.0]

[[corpus.train]]
manifest = "train.jsonl"

[model]
conv_channels = 8
hidden = 48
layers = 1
dropout = 0.1

[augment]
noise_probability = 0.3
frequency_masks = 1
max_frequency_mask_bins = 5
max_time_mask_frames = 5

[optimiser]
peak_learning_rate = 1e-2
warmup_steps = 10
average_decay = 0.8

[loop]
epochs = {epochs}
batch_s = 5.0
precision = "fp32"
checkpoint_minutes = 0.0
"""


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of train, dev and noise manifests."""
    folder = tmp_path_factory.mktemp("tones")
    write_corpus(folder, "train", 120, seed=1)
    write_corpus(folder, "dev", 10, seed=2)
    rng = np.random.default_rng(4)
    soundfile.write(folder / "noise.wav", 0.05 * rng.standard_normal(48000), RATE_HZ)
    (folder / "noise.jsonl").write_text('{"audio_filepath": "noise.wav", "text": ""}\n')
    return folder


@pytest.fixture(scope="session")
def config_path(tones: Path) -> Path:
    """A configuration that learns the tones."""
    path = tones / "tones.toml"
    path.write_text(CONFIG.format(epochs=EPOCHS), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def whole_run(config_path: Path, tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that has learned the tones."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert main(fit_arguments(config_path, tones, run)) == 0
    return run
