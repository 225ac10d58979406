"""Self-training: a model's own transcripts of recordings without texts, to learn from.

Only utterances that it is sure of are kept (Kahn et al. 2020, "Self-Training for End-to-End Speech
Recognition"): by the mean calibrated confidence of their words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from otoscope import Recognizer, audio
from otoscope.errors import ModelFileError
from training.data.manifest import read_manifest, write_manifest
from training.evaluation.decoders import model_decoder, transcribers


@dataclass(frozen=True)
class PseudoLabels:
    """How much was kept.

    Attributes:
        kept, utterances: how many of how many.
        kept_s, audio_s: seconds of audio.
        expected_right: mean confidence of the kept ones.
    """

    kept: int
    utterances: int
    kept_s: float
    audio_s: float
    expected_right: float


def label(
    model: Path, manifest: Path, lm: Path, search: Mapping[str, float], *, least: float, out: Path
) -> PseudoLabels:
    """Write a manifest of the utterances whose words are right with probability `least` or more.

    `model` needs its calibration.json beside it.
    """
    recognizer = Recognizer(model)
    decoder = model_decoder(recognizer, model, lm, search)
    if decoder.calibration is None:
        raise ModelFileError(
            f"expected calibration.json for {model} beside it: run python -m training calibrate"
        )
    transcribe = transcribers(recognizer, decoder)["beam + LM"]
    rate_hz = recognizer.spec.features.sample_rate_hz
    rows, kept, audio_s = [], [], 0.0
    utterances = read_manifest(manifest)
    for utterance in tqdm(utterances, desc=manifest.parent.name, unit="file"):
        samples = audio.load(utterance.audio, rate_hz).samples
        duration_s = samples.size / rate_hz
        audio_s += duration_s
        transcript = transcribe(samples)
        if transcript.confidence is not None and transcript.confidence >= least:
            kept.append((duration_s, transcript.confidence))
            rows.append(
                {
                    "audio_filepath": str(utterance.audio.resolve()),
                    "duration": round(duration_s, 3),
                    "speaker": utterance.speaker,
                    "text": transcript.text,
                    "confidence": round(transcript.confidence, 3),
                }
            )
    write_manifest(out, rows)
    kept_s, confidence = np.array(kept).reshape(-1, 2).sum(axis=0).tolist()
    mean = confidence / max(1, len(kept))
    return PseudoLabels(len(kept), len(utterances), kept_s, audio_s, mean)
