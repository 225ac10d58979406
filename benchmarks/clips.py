"""Audio to measure with: the repository's own sample, repeated to a length."""

import io
from pathlib import Path

import numpy as np
import soundfile

from otoscope import load

SAMPLE = Path(__file__).parents[1] / "examples" / "sample.flac"
RATE_HZ = 16000


def clip(duration_s: float) -> bytes:
    """A 16 kHz mono FLAC file of that length."""
    samples = load(SAMPLE, RATE_HZ).samples
    repeated = np.resize(samples, round(duration_s * RATE_HZ))
    buffer = io.BytesIO()
    soundfile.write(buffer, repeated, RATE_HZ, format="FLAC")
    return buffer.getvalue()
