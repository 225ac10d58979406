"""Self-training: a model's own transcripts of recordings without texts, to learn from.

Only utterances that it is sure of are kept (Kahn et al. 2020, "Self-Training for End-to-End Speech
Recognition"): by the mean calibrated confidence of their words.
"""

from pathlib import Path

from tqdm import tqdm

from otoscope import Recognizer
from otoscope.decoding.decoder import Decoder
from otoscope.errors import ModelFileError
from training.data.manifest import read_manifest, write_manifest
from training.data.utterances import load_clips
from training.evaluation.decoders import transcribers


def label(
    recognizer: Recognizer, decoder: Decoder, manifest: Path, *, least: float, out: Path
) -> str:
    """Write a manifest of the utterances whose words are right with probability `least` or more.

    Returns:
        How much was kept, for people.

    Raises:
        ModelFileError: if the model has no calibration.
    """
    if decoder.calibration is None:
        raise ModelFileError(
            "expected calibration.json beside the model: run python -m training calibrate"
        )
    transcribe = transcribers(recognizer, decoder)["beam + LM"]
    rate_hz = recognizer.spec.features.sample_rate_hz
    rows, total_s, kept_s, expected_right = [], 0.0, 0.0, 0.0
    utterances = read_manifest(manifest)
    recordings = load_clips([utterance.clip for utterance in utterances], rate_hz)
    bar = tqdm(recordings, total=len(utterances), desc=manifest.parent.name, unit="file")
    for utterance, samples in zip(utterances, bar, strict=True):
        duration_s = samples.size / rate_hz
        total_s += duration_s
        transcript = transcribe(samples)
        if transcript.confidence is not None and transcript.confidence >= least:
            kept_s += duration_s
            expected_right += transcript.confidence
            rows.append(
                {
                    "audio_filepath": str(utterance.audio.resolve()),
                    **({} if utterance.clip.whole else {"offset": utterance.start_s}),
                    "duration": round(duration_s, 3),
                    "speaker": utterance.speaker,
                    "text": transcript.text,
                    "confidence": round(transcript.confidence, 3),
                }
            )
    write_manifest(out, rows)
    return (
        f"{len(rows)} of {len(utterances)} utterances, {kept_s / 3600:.2f} of "
        f"{total_s / 3600:.2f} h, {100 * expected_right / max(1, len(rows)):.0f} % of their words "
        "right as far as the model knows"
    )
