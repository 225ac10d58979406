"""Texts of recordings that have none, written by teachers: models that listen to them.

Only utterances that the teachers are sure of and agree about are kept (Kahn et al. 2020,
"Self-Training for End-to-End Speech Recognition"): by the confidence of each, and by the character
error rate of one's text against the other's. Each row says who wrote it.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jiwer
from tqdm import tqdm

from otoscope import Alphabet, Recognizer
from otoscope.audio import Samples
from otoscope.decoding.decoder import Decoder
from otoscope.errors import ModelFileError, OtoscopeError
from training.data.manifest import read_manifest, write_manifest
from training.data.utterances import Utterance, load_clips
from training.evaluation.decoders import transcribers
from training.evaluation.peers import open_whisper, spelled

_RATE_HZ = 16000


class Said(NamedTuple):
    """What a teacher heard in one recording.

    Attributes:
        confidence: 0 to 1, of its words in the mean.
        by: the teacher's name.
    """

    text: str
    confidence: float
    by: str


Teacher = Callable[[Samples], Said]
"""(samples,) float32 at 16 kHz -> what is said."""


@dataclass(frozen=True)
class Limits:
    """What is kept.

    Attributes:
        least: confidence of each teacher.
        most_difference: character error rate of one teacher's text against another's.
    """

    least: float = 0.8
    most_difference: float = 0.1


def own_teacher(recognizer: Recognizer, decoder: Decoder) -> Teacher:
    """A model of this project, with its language model if there is one.

    Raises:
        ModelFileError: if it has no calibration: its confidences mean nothing.
    """
    if decoder.calibration is None:
        raise ModelFileError(
            "expected calibration.json beside the model: run python -m training calibrate"
        )
    ways = transcribers(recognizer, decoder)
    transcribe = ways.get("beam + LM", ways["greedy"])
    by = f"{recognizer.spec.name} {recognizer.sha256[:8]}"

    def listen(samples: Samples) -> Said:
        transcript = transcribe(samples)
        return Said(transcript.text, transcript.confidence or 0.0, by)

    return listen


def whisper_teacher(model: str, language: str, alphabet: Alphabet | None) -> Teacher:
    """OpenAI's Whisper by faster-whisper: 8 bits, greedy, each recording by itself.

    Its confidence is what it gives its tokens in the mean, times that of there being speech.

    Args:
        model: a name that faster-whisper fetches from its hub, or a folder.
        language: that is spoken, an ISO 639 code.
        alphabet: to write its texts in; None to leave them as it writes them.

    Raises:
        OtoscopeError: if it is not installed, or the model can't be had.
    """
    recognizer = open_whisper(model)
    by = f"whisper {Path(model).name}"

    def listen(samples: Samples) -> Said:
        segments = list(
            recognizer.transcribe(
                samples, language=language, beam_size=1, condition_on_previous_text=False
            )[0]
        )
        text = " ".join(segment.text.strip() for segment in segments)
        tokens = sum(len(segment.tokens) for segment in segments)
        if not tokens:
            return Said("", 0.0, by)
        mean = sum(segment.avg_logprob * len(segment.tokens) for segment in segments) / tokens
        speech = 1 - max(segment.no_speech_prob for segment in segments)
        written = text if alphabet is None else spelled(text, alphabet, language)
        return Said(written, math.exp(mean) * speech, by)

    return listen


def label(teachers: Sequence[Teacher], manifest: Path, limits: Limits, out: Path) -> str:
    """Write a manifest of the utterances that all teachers are sure of and agree about.

    Returns:
        How much was kept and why the rest was not, for people.
    """
    rows, total_s, kept_s = [], 0.0, 0.0
    left_out: Counter[str] = Counter()
    utterances = read_manifest(manifest)
    for utterance in tqdm(utterances, desc=manifest.parent.name, unit="file"):
        try:
            [samples] = load_clips([utterance.clip], _RATE_HZ)
        except OtoscopeError:
            left_out["not readable"] += 1
            continue
        duration_s = samples.size / _RATE_HZ
        total_s += duration_s
        said = [teacher(samples) for teacher in teachers]
        if problem := _problem(said, limits):
            left_out[problem] += 1
            continue
        kept_s += duration_s
        rows.append(_row(utterance, duration_s, max(said, key=lambda one: one.confidence)))
    write_manifest(out, rows)
    reasons = "".join(f"; {count} {reason}" for reason, count in left_out.items())
    hours = f"{kept_s / 3600:.2f} of {total_s / 3600:.2f} h"
    return f"{len(rows)} of {len(utterances)} utterances, {hours}{reasons}"


def _problem(said: Sequence[Said], limits: Limits) -> str:
    """Why one is not kept; "" if it is."""
    first, *others = said
    if not all(one.text.strip() for one in said):
        return "without words"
    if min(one.confidence for one in said) < limits.least:
        return "not sure enough"
    texts = [one.text.lower() for one in others]
    if any(jiwer.cer(text, first.text.lower()) > limits.most_difference for text in texts):
        return "that teachers disagree about"
    return ""


def _row(utterance: Utterance, duration_s: float, said: Said) -> dict[str, object]:
    return {
        "audio_filepath": str(utterance.audio.resolve()),
        **({} if utterance.clip.whole else {"offset": utterance.start_s}),
        "duration": round(duration_s, 3),
        "speaker": utterance.speaker,
        "text": said.text,
        "text_by": said.by,
        "confidence": round(said.confidence, 3),
    }
