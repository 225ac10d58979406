"""Error rates of an exported model on manifests: the figures that count.

Everything goes through `otoscope` and model.onnx, as in the service; torch plays no part.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from otoscope.audio import Samples
from otoscope.errors import AudioTooShortError, ManifestError
from otoscope.spec import ModelSpec
from training.data.manifest import LeftOut, manifest_name, read_manifest
from training.data.utterances import load_clips
from training.evaluation.decoders import System
from training.evaluation.metrics import (
    BY_SPEAKER,
    BY_UTTERANCE,
    character_errors,
    drawn_by,
    interval,
    word_errors,
)


@dataclass(frozen=True)
class ReferenceSet:
    """A manifest's recordings in memory, and their texts.

    Attributes:
        name: its folder and name, "librispeech/dev".
        references: normalised texts.
        waveforms: (samples,) float32 each.
        left_out: utterances whose text the alphabet can't express.
    """

    name: str
    references: tuple[str, ...]
    speakers: tuple[str, ...]
    waveforms: tuple[Samples, ...]
    audio_s: float
    left_out: int


@dataclass(frozen=True)
class Score:
    """One system on one manifest.

    Attributes:
        rates: "cer" and "wer" as fractions, "characters" and "words" of the references.
        cer_interval, wer_interval: 95 %, bootstrap, as fractions.
        interval_by: what was drawn for them: speakers; or utterances, which promises too much
            where they are of one speaker.
        cpu_s_per_audio_s: from samples to text.
    """

    manifest: str
    decoder: str
    utterances: int
    left_out: int
    audio_s: float
    rates: dict[str, float]
    cer_interval: tuple[float, float]
    wer_interval: tuple[float, float]
    cpu_s_per_audio_s: float
    interval_by: str = BY_SPEAKER


def evaluate(
    systems: Mapping[str, System], manifests: Sequence[Path], spec: ModelSpec, *, show: int = 0
) -> list[Score]:
    """Score every system on every manifest.

    Args:
        systems: by their names in tables; all take samples at the model's rate.
        manifests: with texts.
        spec: of the model, whose alphabet the references are written in.
        show: so many utterances of each are printed.
    """
    scores = []
    for path in manifests:
        references = read_references(path, spec)
        for name, system in systems.items():
            score, hypotheses = score_system(name, system, references)
            scores.append(score)
            for texts in list(zip(references.references, hypotheses, strict=True))[:show]:
                print("  reference:  {}\n  hypothesis: {}".format(*texts), f"({name})\n")
    return scores


def read_references(path: Path, spec: ModelSpec) -> ReferenceSet:
    """Read a manifest and its recordings.

    Raises:
        ManifestError: if no utterance of it can be scored.
    """
    utterances = read_manifest(path)
    left_out = LeftOut()
    scored = [
        (spec.alphabet.decode(labels.tolist()), one)
        for one in utterances
        if (labels := left_out.encode(one, spec.alphabet)) is not None
    ]
    if left_out.counts:
        print(left_out.report(f"{manifest_name(path)}: {len(scored)} utterances"))
    if not scored:
        raise ManifestError(f"{path}: expected texts to score against, got none")
    rate_hz, window = spec.features.sample_rate_hz, spec.features.window_samples
    waveforms = tuple(load_clips([one.clip for _, one in scored], rate_hz))
    for (_, one), samples in zip(scored, waveforms, strict=True):
        if samples.size < window:
            raise AudioTooShortError(
                f"{one.audio}: expected at least {window} samples at {rate_hz} Hz, "
                f"got {samples.size}"
            )
    return ReferenceSet(
        name=manifest_name(path),
        references=tuple(text for text, _ in scored),
        speakers=tuple(one.speaker for _, one in scored),
        waveforms=waveforms,
        audio_s=sum(samples.size for samples in waveforms) / rate_hz,
        left_out=len(utterances) - len(scored),
    )


def score_system(name: str, system: System, references: ReferenceSet) -> tuple[Score, list[str]]:
    """Count the errors and the processor time of `system`; its texts as well."""
    title = f"{references.name}, {name}"
    with threadpool_limits(1, user_api="blas"):  # one processor, as the service has it
        started = time.process_time()
        hypotheses = [system(one) for one in tqdm(references.waveforms, desc=title, unit="file")]
        cpu_s = time.process_time() - started
    characters = character_errors(references.references, hypotheses)
    words = word_errors(references.references, hypotheses)
    score = Score(
        manifest=references.name,
        decoder=name,
        utterances=len(hypotheses),
        left_out=references.left_out,
        audio_s=round(references.audio_s, 2),
        rates={
            "cer": characters.rate,
            "wer": words.rate,
            "characters": int(characters.lengths.sum()),
            "words": int(words.lengths.sum()),
        },
        cer_interval=interval(characters, references.speakers),
        wer_interval=interval(words, references.speakers),
        cpu_s_per_audio_s=cpu_s / references.audio_s,
        interval_by=drawn_by(references.speakers),
    )
    return score, hypotheses


def markdown_table(scores: Sequence[Score]) -> str:
    """One row a manifest and system."""
    rows = [
        f"| {one.manifest} | {one.utterances} utterances, {one.audio_s / 60:.0f} min "
        f"| {one.decoder} | {_percent(one.rates['cer'], one.cer_interval)} "
        f"| {_percent(one.rates['wer'], one.wer_interval)} | {one.cpu_s_per_audio_s:.4f} |"
        for one in scores
    ]
    head = "| manifest | speech | decoder | CER % (95 %) | WER % (95 %) | CPU s per audio s |"
    table = "\n".join([head, "|---|---|---|---|---|---|", *rows])
    loose = dict.fromkeys(one.manifest for one in scores if one.interval_by == BY_UTTERANCE)
    if not loose:
        return table
    return (
        f"{table}\n\nIntervals of {', '.join(loose)} are by utterance, for want of two known "
        "speakers: on other people's speech the rates may lie outside."
    )


def _percent(rate: float, bounds: tuple[float, float]) -> str:
    return f"{100 * rate:.1f} ({100 * bounds[0]:.1f}-{100 * bounds[1]:.1f})"
