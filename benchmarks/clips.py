"""Audio to measure with: the repository's own sample, repeated to a length."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from otoscope import load

SAMPLE = Path(__file__).parents[1] / "examples" / "sample.flac"
RATE_HZ = 16000
SEED = 0


@dataclass(frozen=True)
class Clip:
    """A 16 kHz mono FLAC file.

    Attributes:
        duration_s: of the audio.
        data: the file's bytes.
    """

    duration_s: float
    data: bytes


def clip(duration_s: float) -> Clip:
    """Speech of that length."""
    buffer = io.BytesIO()
    soundfile.write(buffer, speech(duration_s), RATE_HZ, format="FLAC")
    return Clip(duration_s, buffer.getvalue())


def speech(duration_s: float) -> np.ndarray:
    """(samples,) float32 of that length."""
    return np.resize(load(SAMPLE, RATE_HZ).samples, round(duration_s * RATE_HZ))


def mixed(count: int) -> list[Clip]:
    """Clips of 1 to 30 s, the same ones every time."""
    durations_s = np.random.default_rng(SEED).uniform(1.0, 30.0, count)
    return [clip(float(round(duration_s, 2))) for duration_s in durations_s]
