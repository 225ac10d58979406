"""Dev utterances of a run's page: log-mel, audio, and posteriors after each epoch."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from otoscope.vocabulary import SymbolSet
from training.config import TrainingConfig
from training.data.prepare import DevSet
from training.data.utterances import Utterance, load_clips
from training.run.records import MOST_EXAMPLES, Example, Step, load_steps

MOST_S = 10.0
MOST_STEPS = 16
MOST_SYMBOLS = 40
MOST_SOUND_S = 12.0
MOST_CHARACTERS = 1000
_COMPRESSION = 0.9
"""Of MP3: about 30 kbit/s, enough for speech."""
_SEEN = 26
"""A symbol is shown if it reaches this level (a tenth of 255) in some frame."""
_DECIBELS = 60.0


def described(folder: Path, dev: Sequence[DevSet], config: TrainingConfig) -> list[dict[str, Any]]:
    """Each example: reference, recognized texts, audio, log-mel and posteriors."""
    found = load_steps(folder, dev)[:MOST_EXAMPLES]
    return [_described(one, steps, config) for one, steps in found]


def _described(one: Example, steps: list[Step], config: TrainingConfig) -> dict[str, Any]:
    spec = config.features
    frame_s = config.model.frame_stride * spec.hop_s
    kept = [steps[place] for place in _thinned(len(steps), MOST_STEPS)]
    frames = round(MOST_S / frame_s)
    rows = _rows(np.stack([step.probs[:frames] for step in kept]), config.alphabet)
    utterance = one.dev.utterances[one.place]
    mels = one.dev.pack[one.dev.indices[one.place]][: round(MOST_S / spec.hop_s)]
    return {
        "said": one.text[:MOST_CHARACTERS],
        "where": place_words(one.dev.name, utterance),
        "sound": sound(utterance, spec.sample_rate_hz),
        "frame_s": frame_s,
        "hop_s": spec.hop_s,
        "mel": {"columns": len(mels), "rows": mels.shape[1], "levels": _base64(_shades(mels))},
        "symbols": [config.alphabet.class_names[row] for row in rows],
        "columns": len(kept[0].probs[:frames]),
        "steps": [
            {
                "epoch": step.epoch,
                "heard": step.recognized[:MOST_CHARACTERS],
                "levels": _base64(step.probs[:frames, rows]),
            }
            for step in kept
        ],
    }


def _thinned(count: int, most: int) -> list[int]:
    """At most `most` of `count` indices, evenly spaced, the first and the last included."""
    return sorted(set(np.rint(np.linspace(0, count - 1, min(count, most))).astype(int).tolist()))


def _rows(levels: npt.NDArray[np.uint8], symbols: SymbolSet) -> list[int]:
    """Sorted classes to show: those with the highest levels, at least `_SEEN`, and the blank."""
    strongest = levels.max(axis=(0, 1))
    most = np.argsort(-strongest.astype(int), kind="stable")[:MOST_SYMBOLS]
    return sorted({*(int(row) for row in most if strongest[row] >= _SEEN), symbols.blank_index})


def _shades(mels: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Log-mel (natural log of power) as levels, 255 at the loudest, 0 at 60 dB below."""
    decibels = 10 / np.log(10) * (mels - mels.max())
    shades: npt.NDArray[np.uint8] = np.rint(255 * np.clip(1 + decibels / _DECIBELS, 0, 1)).astype(
        np.uint8
    )
    return shades


def sound(utterance: Utterance, rate_hz: int) -> str:
    """The utterance, its first `MOST_SOUND_S` seconds, as a data URL of MP3."""
    [samples] = load_clips([utterance.clip], rate_hz)
    file = io.BytesIO()
    soundfile.write(
        file,
        samples[: round(MOST_SOUND_S * rate_hz)],
        rate_hz,
        format="MP3",
        compression_level=_COMPRESSION,
    )
    return "data:audio/mpeg;base64," + base64.b64encode(file.getvalue()).decode()


def place_words(name: str, utterance: Utterance) -> str:
    """The source of an utterance in words."""
    speaker = f", speaker {utterance.speaker}" if utterance.speaker else ""
    return f"{name}: {utterance.audio.name}{speaker}"[:MOST_CHARACTERS]


def _base64(levels: npt.NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(levels).tobytes()).decode()
