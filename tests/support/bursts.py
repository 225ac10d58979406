"""When the two tones of a recording are heard, by which its file's clock is followed."""

import numpy as np
from signals import RATE_HZ

from otoscope.audio import load

BURSTS_S = ((0.2, 0.5), (1.7, 2.1))
"""Where the fixture `two_tones` has them."""


def bursts(samples):
    """Start and end in seconds of what is loud."""
    loud = np.flatnonzero(np.abs(samples) > 0.05) / RATE_HZ
    edges = np.flatnonzero(np.diff(loud) > 0.1)
    starts, ends = loud[[0, *edges + 1]], loud[[*edges, -1]]
    return list(zip(starts, ends, strict=True))


def check_bursts(data, *shifts_s, abs_s=0.06, warnings=()):
    """The two tones, each so much later than in `two_tones`."""
    waveform = load(data, RATE_HZ)
    expected = [
        tuple(edge + shift for edge in burst)
        for burst, shift in zip(BURSTS_S * (len(shifts_s) // 2), shifts_s, strict=True)
    ]
    found = bursts(waveform.samples)
    assert len(found) == len(expected), found
    np.testing.assert_allclose(found, expected, atol=abs_s)
    assert waveform.warnings == warnings
    return waveform
