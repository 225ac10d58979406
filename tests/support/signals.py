"""Seeded signals: what the tests listen to."""

import numpy as np
import numpy.typing as npt

RATE_HZ = 16000
Samples = npt.NDArray[np.float32]


def tone(hz: float, seconds: float, rate_hz: int = RATE_HZ, amplitude: float = 0.5) -> Samples:
    """A sine, (samples,) float32."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)


def noise(seconds: float, amplitude: float = 0.1, seed: int = 0) -> Samples:
    """White noise, (samples,) float32."""
    values = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))
    return (amplitude * values).astype(np.float32)


def babble(seconds: float, seed: int = 0) -> Samples:
    """Something like speech: gliding harmonics under formants, in syllables, with pauses."""
    generator = np.random.default_rng(seed)
    count = round(seconds * RATE_HZ)
    time_s = np.arange(count) / RATE_HZ
    pitch_hz = 120 + 30 * np.sin(2 * np.pi * 0.7 * time_s) + 5 * np.sin(2 * np.pi * 5 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    voice = np.zeros(count)
    for harmonic in range(1, 30):
        hz = harmonic * 120
        gain = sum(np.exp(-(((hz - formant) / 150) ** 2)) for formant in (500, 1500, 2500))
        voice += (gain + 0.02) * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 3 * time_s), 0, 1)
    breath = 0.002 * generator.standard_normal(count)
    return (0.15 * syllables * voice + breath).astype(np.float32)


def dominant_hz(samples: Samples, rate_hz: int = RATE_HZ) -> float:
    """Frequency of the strongest component."""
    windowed = samples * np.hanning(samples.size)
    spectrum = np.abs(np.fft.rfft(windowed))
    return float(np.argmax(spectrum) * rate_hz / samples.size)
