"""Sound to write to files, and processes that read them."""

from contextlib import closing

import numpy as np
import pytest
from bursts import BURSTS_S
from signals import tone

from otoscope.audio import DecodeProcesses


@pytest.fixture(scope="session")
def two_tones():
    """2.5 s with the tones of BURSTS_S, (samples,) at 48 kHz."""
    samples = np.zeros(120000, np.float32)
    for start, end in BURSTS_S:
        part = slice(round(start * 48000), round(end * 48000))
        samples[part] = tone(440, end - start, 48000)
    return samples


@pytest.fixture
def processes():
    with closing(DecodeProcesses(most=2, kept=2)) as processes:
        yield processes
