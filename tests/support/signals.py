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


def room_noise(seconds: float, amplitude: float = 0.1, seed: int = 0) -> Samples:
    """Pink noise, whose power falls with the frequency, (samples,) float32."""
    spectrum = np.fft.rfft(noise(seconds, 1.0, seed))
    pink = np.fft.irfft(
        spectrum / np.sqrt(np.arange(1, spectrum.size + 1)), round(seconds * RATE_HZ)
    )
    return (amplitude * pink / pink.std()).astype(np.float32)


def hum(seconds: float, amplitude: float = 0.2) -> Samples:
    """Of the mains: 50 Hz and its harmonics, (samples,) float32."""
    parts = [tone(50 * k, seconds, amplitude=amplitude / k) for k in (1, 2, 3, 5, 7)]
    return np.sum(parts, axis=0, dtype=np.float32)


def chords(seconds: float, seed: int = 0) -> Samples:
    """Plucked chords of a major scale, two to four a second, (samples,) float32."""
    generator = np.random.default_rng(seed)
    sound = np.zeros(round((seconds + 1) * RATE_HZ), dtype=np.float32)
    decay = np.exp(-np.arange(RATE_HZ) / RATE_HZ / 0.25).astype(np.float32)
    start_s = 0.0
    while start_s < seconds:
        for semitones in generator.choice([0, 2, 4, 5, 7, 9, 11, 12], 3, replace=False):
            hz = 220 * 2 ** (semitones / 12)
            string = tone(hz, 1.0, amplitude=0.1) + tone(2 * hz, 1.0, amplitude=0.05)
            start = round(start_s * RATE_HZ)
            sound[start : start + RATE_HZ] += decay * string
        start_s += generator.choice([0.25, 0.5])
    return sound[: round(seconds * RATE_HZ)]


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
