"""Audio to measure with: recordings of a manifest, or the repository's sample over and over."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from otoscope import load
from training.data.manifest import read_manifest

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


@dataclass(frozen=True)
class Speech:
    """What clips are cut from.

    Attributes:
        samples: (samples,) float32 at 16 kHz, recordings end to end.
        name: of where they come from.
    """

    samples: np.ndarray
    name: str

    def cut(self, duration_s: float, start_s: float = 0.0) -> np.ndarray:
        """(samples,) float32 of that length; after the end it begins again."""
        places = np.arange(round(duration_s * RATE_HZ)) + round(start_s * RATE_HZ)
        return self.samples.take(places, mode="wrap")

    def clip(self, duration_s: float, start_s: float = 0.0) -> Clip:
        """The same as a file."""
        buffer = io.BytesIO()
        soundfile.write(buffer, self.cut(duration_s, start_s), RATE_HZ, format="FLAC")
        return Clip(duration_s, buffer.getvalue())

    def mixed(self, count: int) -> list[Clip]:
        """Clips of 1 to 30 s from anywhere, the same ones every time."""
        rng = np.random.default_rng(SEED)
        durations_s = np.round(rng.uniform(1.0, 30.0, count), 2)
        starts_s = rng.uniform(0.0, self.samples.size / RATE_HZ, count)
        return [
            self.clip(float(duration_s), float(start_s))
            for duration_s, start_s in zip(durations_s, starts_s, strict=True)
        ]


def open_speech(manifest: Path) -> Speech:
    """The recordings of `manifest` if it is there, else the repository's sample."""
    if not manifest.is_file():
        return Speech(load(SAMPLE, RATE_HZ).samples, f"examples/{SAMPLE.name}, repeated")
    recordings = [load(each.audio, RATE_HZ).samples for each in read_manifest(manifest)]
    return Speech(np.concatenate(recordings), f"{manifest.parent.name}/{manifest.name}")
