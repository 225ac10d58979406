"""Longer recordings to learn from: utterances with silence, noise, hum and music around them.

A scene is a few utterances, of any speakers and each at a level of its own, with gaps of up to
several seconds in which nobody speaks but something may sound, over a quiet background. Some scenes
have no speech at all, and an empty text. Each is written through one of the codecs that recordings
come in, which leaves its traces.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import resample_poly
from tqdm import tqdm

from otoscope import audio
from otoscope.errors import OtoscopeError
from training.data.manifest import read_manifest, write_manifest
from training.data.utterances import Utterance

RATE_HZ = 16000
SPEECH_DBFS = -20.0
SILENT_GAPS = 0.5
MOST_UTTERANCES = 4
LONGEST_S = 24
Sound = npt.NDArray[np.float32]


class Codec(NamedTuple):
    """How a scene is written: the arguments of `soundfile.write`."""

    suffix: str
    rate_hz: int
    options: dict[str, Any]


CODECS = (
    Codec(".flac", RATE_HZ, {}),
    Codec(".mp3", RATE_HZ, {"bitrate_mode": "CONSTANT", "compression_level": 0.9}),
    Codec(".mp3", RATE_HZ, {"bitrate_mode": "CONSTANT", "compression_level": 0.6}),
    Codec(".opus", RATE_HZ, {"format": "OGG", "subtype": "OPUS", "compression_level": 0.95}),
    Codec(".wav", 8000, {"subtype": "ULAW"}),
)
_CODEC_SHARES = (0.4, 0.15, 0.15, 0.2, 0.1)


def make_scenes(
    manifests: Sequence[Path],
    noise: Path | None,
    out: Path,
    *,
    count: int,
    silent_share: float,
    seed: int = 1,
) -> float:
    """Write `out` (a .jsonl manifest), and its recordings into the folder audio/ beside it.

    Args:
        manifests: with texts; scenes are made of their utterances.
        noise: manifest of noise recordings, or None for synthetic sounds alone.
        out: the manifest.
        count: scenes.
        silent_share: of scenes without speech.
        seed: of all that is drawn.

    Returns:
        Hours of audio.

    Raises:
        OtoscopeError: if no manifest has an utterance with a text, or a file can't be read.
    """
    spoken = [each for path in manifests for each in read_manifest(path) if each.text.strip()]
    if not spoken:
        raise OtoscopeError("expected utterances with texts, got none")
    noises = [] if noise is None else read_manifest(noise)
    (out.parent / "audio").mkdir(parents=True, exist_ok=True)
    write = partial(
        _write_scene, spoken, noises, silent_share=silent_share, seed=seed, folder=out.parent
    )
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = pool.map(write, range(count), chunksize=8)
        rows = list(tqdm(jobs, total=count, desc="scenes", unit="file"))
    write_manifest(out, rows)
    return sum(float(row["duration"]) for row in rows) / 3600


def _write_scene(
    spoken: Sequence[Utterance],
    noises: Sequence[Utterance],
    number: int,
    *,
    silent_share: float,
    seed: int,
    folder: Path,
) -> dict[str, str | float]:
    """Write one recording; its line of the manifest."""
    rng = np.random.default_rng([seed, number])
    sound = partial(_sound, noises, rng)
    if rng.random() < silent_share:
        texts: list[str] = []
        samples = sound(int(rng.integers(2, 15) * RATE_HZ), float(rng.uniform(-70, -15)))
    else:
        samples, texts = _conversation(spoken, sound, rng)
    codec = CODECS[int(rng.choice(len(CODECS), p=_CODEC_SHARES))]
    if codec.rate_hz != RATE_HZ:
        samples = resample_poly(samples, codec.rate_hz, RATE_HZ).astype(np.float32)
    name = f"audio/{number:06}{codec.suffix}"
    peak = max(1.0, float(np.abs(samples).max()))
    soundfile.write(folder / name, samples / peak, codec.rate_hz, **codec.options)
    duration_s = round(samples.size / codec.rate_hz, 3)
    return {"audio_filepath": name, "duration": duration_s, "text": " ".join(texts)}


def _conversation(
    spoken: Sequence[Utterance],
    sound: Callable[[int, float], Sound],
    rng: np.random.Generator,
) -> tuple[Sound, list[str]]:
    """Utterances with gaps around them, and their texts."""
    most_s = float(rng.uniform(6, 20))
    parts, texts = [_gap(sound, rng)], list[str]()
    while sum(part.size for part in parts) < most_s * RATE_HZ and len(texts) < MOST_UTTERANCES:
        utterance = spoken[int(rng.integers(len(spoken)))]
        speech = audio.load(utterance.audio, RATE_HZ).samples
        if texts and sum(part.size for part in parts) + speech.size > LONGEST_S * RATE_HZ:
            break
        parts += [_at_level(speech, SPEECH_DBFS - float(rng.exponential(6))), _gap(sound, rng)]
        texts.append(utterance.text.strip())
    whole = np.concatenate(parts)
    background_dbfs = SPEECH_DBFS - float(rng.uniform(25, 70))
    return whole + sound(whole.size, background_dbfs), texts


def _gap(sound: Callable[[int, float], Sound], rng: np.random.Generator) -> Sound:
    """Where nobody speaks: mostly short, at times long; silent, or as loud as speech."""
    samples = round(min(float(rng.exponential(1.2)), 8.0) * RATE_HZ)
    if rng.random() < SILENT_GAPS:
        return np.zeros(samples, np.float32)
    return sound(samples, SPEECH_DBFS - float(rng.uniform(0, 40)))


def _sound(
    noises: Sequence[Utterance], rng: np.random.Generator, samples: int, level_dbfs: float
) -> Sound:
    """Something that is no speech, faded in and out."""
    makers = [_zeros, _colored_noise, _hum, _tones, _music]
    if noises:
        recorded = partial(_recorded, noises[int(rng.integers(len(noises)))].audio)
        makers += [recorded, recorded, recorded]
    made = _at_level(makers[int(rng.integers(len(makers)))](samples, rng), level_dbfs)
    fade = min(samples // 2, RATE_HZ // 50)
    if fade:
        made[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        made[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return made


def _zeros(samples: int, rng: np.random.Generator) -> Sound:  # noqa: ARG001
    return np.zeros(samples, np.float32)


def _colored_noise(samples: int, rng: np.random.Generator) -> Sound:
    """Noise whose power falls by 0 (white) to 6 dB (brown) an octave."""
    if not samples:
        return np.zeros(0, np.float32)
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum /= np.arange(1, spectrum.size + 1) ** rng.uniform(0, 1)
    return np.fft.irfft(spectrum, samples).astype(np.float32)


def _hum(samples: int, rng: np.random.Generator) -> Sound:
    """Mains hum: harmonics of 50 or 60 Hz."""
    base_hz = float(rng.choice([50.0, 60.0]))
    return _harmonics(samples, base_hz, 1 / np.arange(1, 9) ** rng.uniform(0.3, 2), rng)


def _tones(samples: int, rng: np.random.Generator) -> Sound:
    """One to three steady tones, as of telephones and test signals."""
    return sum(
        (
            _harmonics(samples, float(rng.uniform(100, 4000)), np.ones(1), rng)
            for _ in range(rng.integers(1, 4))
        ),
        np.zeros(samples, np.float32),
    )


def _music(samples: int, rng: np.random.Generator) -> Sound:
    """Notes that are struck and die away, several at a time, on an equal-tempered scale."""
    music = np.zeros(samples, np.float32)
    for _ in range(max(1, round(samples / RATE_HZ * rng.uniform(1, 6)))):
        start = int(rng.integers(max(samples, 1)))
        length = min(samples - start, round(RATE_HZ * rng.uniform(0.2, 2)))
        pitch_hz = 110 * 2 ** (rng.integers(0, 36) / 12)
        note = _harmonics(length, pitch_hz, 1 / np.arange(1, 7) ** rng.uniform(0.5, 2), rng)
        seconds = np.arange(length, dtype=np.float32) / RATE_HZ
        music[start : start + length] += note * np.exp(-seconds / rng.uniform(0.1, 0.8))
    return music


def _harmonics(
    samples: int, base_hz: float, amplitudes: npt.NDArray[np.floating], rng: np.random.Generator
) -> Sound:
    seconds = np.arange(samples) / RATE_HZ
    waves = (
        amplitude * np.sin(2 * np.pi * (base_hz * number * seconds + rng.random()))
        for number, amplitude in enumerate(amplitudes, 1)
        if base_hz * number < RATE_HZ / 2
    )
    return sum(waves, np.zeros(samples)).astype(np.float32)


def _recorded(path: Path, samples: int, rng: np.random.Generator) -> Sound:
    """From a random place of a recording, repeated if it is shorter."""
    whole = audio.load(path, RATE_HZ).samples
    return np.resize(np.roll(whole, -int(rng.integers(whole.size))), samples).astype(np.float32)


def _at_level(samples: Sound, level_dbfs: float) -> Sound:
    """`samples` at a root mean square of `level_dbfs`; silence stays silence."""
    rms = float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0
    gain = 10 ** (level_dbfs / 20) / rms if rms else 1.0
    scaled: Sound = samples * np.float32(gain)
    return scaled
