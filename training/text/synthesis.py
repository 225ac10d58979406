"""Text -> synthetic speech to learn from beside real voices: more words than these ever said.

The voices are Flite's (Black and Lenzo 2001), from the Debian package `flite`, each utterance at a
rate and pitch of its own.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from tqdm import tqdm

from otoscope.errors import OtoscopeError
from otoscope.vocabulary import Alphabet
from training.data.manifest import write_manifest
from training.text.sentences import held_out, sentences

PITCH_HZ = {"awb": 130.0, "kal16": 105.0, "rms": 100.0, "slt": 170.0}
"""Voices at 16 kHz, and the usual pitch of each."""
_STRETCH = (0.9, 1.3)
_PITCH = (0.85, 1.2)


class SynthesisError(OtoscopeError):
    """Flite is missing or failed."""


class Synthesis(NamedTuple):
    """What was made.

    Attributes:
        utterances: recordings.
        sentences: that there were to choose from.
        seconds: of audio.
    """

    utterances: int
    sentences: int
    seconds: float


def speak(
    texts: Sequence[Path],
    dev: Sequence[Path],
    alphabet: Alphabet,
    out: Path,
    *,
    utterances: int,
    words: tuple[int, int] = (5, 20),
    seed: int = 1,
) -> Synthesis:
    """Write `out` (a .jsonl manifest), and its recordings into the folder audio/ beside it.

    Args:
        texts: files to take sentences from.
        dev: manifests whose sentences are left out.
        alphabet: that they have to be written in.
        out: the manifest.
        utterances: how many, drawn evenly from the sentences that fit.
        words: fewest and most in a sentence.
        seed: of the draw, the voices, rates and pitches.

    Raises:
        SynthesisError: if Flite is not installed or fails, or if no sentence fits.
    """
    if shutil.which("flite") is None:
        raise SynthesisError(
            "expected the program flite; on Debian and Ubuntu: apt-get install flite"
        )
    forbidden = held_out(dev, alphabet)
    fewest, most = words
    fitting = [
        sentence
        for sentence in dict.fromkeys(sentences(texts, alphabet))
        if fewest <= sentence.count(" ") + 1 <= most and sentence not in forbidden
    ]
    if not fitting:
        raise SynthesisError(f"expected sentences of {fewest} to {most} words, got none")
    count = min(utterances, len(fitting))
    chosen = np.random.default_rng(seed).permutation(len(fitting))[:count]
    (out.parent / "audio").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = pool.map(
            partial(_speak_one, seed=seed, folder=out.parent),
            range(count),
            [fitting[index] for index in chosen],
        )
        rows = list(tqdm(jobs, total=count, desc="flite", unit="file"))
    write_manifest(out, rows)
    return Synthesis(count, len(fitting), sum(float(row["duration"]) for row in rows))


def _speak_one(number: int, text: str, *, seed: int, folder: Path) -> dict[str, str | float]:
    """Write one recording (FLAC); its line of the manifest."""
    rng = np.random.default_rng([seed, number])
    voice = list(PITCH_HZ)[int(rng.integers(len(PITCH_HZ)))]
    name = f"audio/{number:06}.flac"
    raw, path = (folder / name).with_suffix(".wav"), folder / name
    command = ["flite", "-voice", voice, "-t", text, "-o", str(raw)]
    command += ["--setf", f"duration_stretch={rng.uniform(*_STRETCH):.3f}"]
    command += ["--setf", f"int_f0_target_mean={PITCH_HZ[voice] * rng.uniform(*_PITCH):.1f}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0 or not raw.exists():
        raise SynthesisError(f"flite ended with {done.returncode}: {done.stderr[-300:]}")
    samples, rate_hz = soundfile.read(raw, dtype="int16")
    soundfile.write(path, samples, rate_hz)
    raw.unlink()
    duration_s = round(samples.shape[0] / rate_hz, 3)
    return {"audio_filepath": name, "duration": duration_s, "speaker": voice, "text": text}
