"""Error rates of an exported model on manifests: the figures that count.

Everything goes through `otoscope` and model.onnx, as in the service; torch plays no part.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from otoscope import Recognizer, audio
from otoscope.audio import Samples
from otoscope.errors import UnsupportedTextError
from otoscope.sidecars import write_sidecar
from otoscope.vocabulary import Alphabet
from training.data.manifest import ManifestError, read_manifest
from training.evaluation.decoders import System, model_decoder, our_systems, pocketsphinx
from training.evaluation.metrics import character_errors, interval, word_errors


@dataclass(frozen=True)
class SpokenSet:
    """A manifest's recordings in memory.

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
        cer_interval, wer_interval: 95 %, bootstrap by speaker, as fractions.
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


@dataclass(frozen=True)
class Plan:
    """What to evaluate.

    Attributes:
        lm: a language model for beam search; None for greedy decoding only.
        search: fields of `BeamOptions` in place of the model's.
        peer: PocketSphinx as well.
        show: so many utterances of each set are printed.
    """

    model: Path
    manifests: tuple[Path, ...]
    lm: Path | None = None
    search: Mapping[str, float] = field(default_factory=dict)
    peer: bool = False
    show: int = 0


def evaluate(plan: Plan) -> tuple[str, list[Score]]:
    """Score every system on every manifest; returns the model's sha256 and the scores."""
    recognizer = Recognizer(plan.model, threads=1)
    decoder = model_decoder(recognizer, plan.model, plan.lm, plan.search)
    systems = list(our_systems(recognizer, decoder))
    if plan.peer:
        systems.append(pocketsphinx(recognizer))
    scores: list[Score] = []
    for path in plan.manifests:
        spoken = read_spoken_set(path, recognizer)
        for system in systems:
            score, hypotheses = score_system(system, spoken)
            scores.append(score)
            _show(system, spoken, hypotheses, plan.show)
    return recognizer.sha256, scores


def write_json(path: Path, model_sha256: str, scores: Sequence[Score]) -> None:
    """For evaluation.json beside the model."""
    sets = [asdict(score) for score in scores]
    write_sidecar(path, {"model_sha256": model_sha256, "sets": sets})


def read_spoken_set(path: Path, recognizer: Recognizer) -> SpokenSet:
    """Read a manifest and its recordings.

    Raises:
        ManifestError: if no utterance of it can be scored.
    """
    utterances = read_manifest(path)
    written = [(_reference(recognizer.spec.alphabet, one.text), one) for one in utterances]
    scored = [(reference, one) for reference, one in written if reference]
    if not scored:
        raise ManifestError(f"{path}: expected texts to score against, got none")
    spec = recognizer.spec.features
    waveforms = tuple(
        audio.load(one.audio, spec.sample_rate_hz, min_samples=spec.window_samples).samples
        for _, one in scored
    )
    return SpokenSet(
        name=f"{path.parent.name}/{path.stem}",
        references=tuple(reference for reference, _ in scored),
        speakers=tuple(one.speaker for _, one in scored),
        waveforms=waveforms,
        audio_s=sum(samples.size for samples in waveforms) / spec.sample_rate_hz,
        left_out=len(utterances) - len(scored),
    )


def score_system(system: System, spoken: SpokenSet) -> tuple[Score, list[str]]:
    """Let `system` recognize every recording; count its errors and its processor time."""
    title = f"{spoken.name}, {system.name}"
    with threadpool_limits(1, user_api="blas"):  # one processor, as the service has it
        started = time.process_time()
        hypotheses = [
            system.recognize(one) for one in tqdm(spoken.waveforms, desc=title, unit="file")
        ]
        cpu_s = time.process_time() - started
    characters = character_errors(spoken.references, hypotheses)
    words = word_errors(spoken.references, hypotheses)
    score = Score(
        manifest=spoken.name,
        decoder=system.name,
        utterances=len(hypotheses),
        left_out=spoken.left_out,
        audio_s=round(spoken.audio_s, 2),
        rates={
            "cer": characters.rate,
            "wer": words.rate,
            "characters": int(characters.lengths.sum()),
            "words": int(words.lengths.sum()),
        },
        cer_interval=interval(characters, spoken.speakers),
        wer_interval=interval(words, spoken.speakers),
        cpu_s_per_audio_s=cpu_s / spoken.audio_s,
    )
    return score, hypotheses


def markdown_table(scores: Sequence[Score]) -> str:
    """One row a manifest and system."""
    return "\n".join(_rows(scores))


def _rows(scores: Sequence[Score]) -> Iterator[str]:
    yield "| manifest | speech | decoder | CER % (95 %) | WER % (95 %) | CPU s per audio s |"
    yield "|---|---|---|---|---|---|"
    for one in scores:
        yield (
            f"| {one.manifest} | {one.utterances} utterances, {one.audio_s / 60:.0f} min "
            f"| {one.decoder} | {_percent(one.rates['cer'], one.cer_interval)} "
            f"| {_percent(one.rates['wer'], one.wer_interval)} | {one.cpu_s_per_audio_s:.4f} |"
        )


def _percent(rate: float, bounds: tuple[float, float]) -> str:
    return f"{100 * rate:.1f} ({100 * bounds[0]:.1f}-{100 * bounds[1]:.1f})"


def _show(system: System, spoken: SpokenSet, hypotheses: Sequence[str], count: int) -> None:
    for reference, hypothesis in list(zip(spoken.references, hypotheses, strict=True))[:count]:
        print(f"  said:  {reference}\n  heard: {hypothesis} ({system.name})\n")


def _reference(alphabet: Alphabet, text: str) -> str:
    """The normalised text, or "" if the alphabet can't express it."""
    try:
        return alphabet.normalize(text)
    except UnsupportedTextError:
        return ""
