"""Error rates of an exported model on manifests: the figures that count.

Everything goes through `otoscope` and model.onnx, as in the service; torch plays no part.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from otoscope import Recognizer, audio, greedy
from otoscope.errors import UnsupportedTextError
from training.corpus import ManifestError, Utterance, read_manifest
from training.metrics import ErrorRates, error_rates

_BATCH = 8


@dataclass(frozen=True)
class Score:
    """One manifest's result.

    Attributes:
        manifest: its folder and name, "librispeech/dev".
        left_out: utterances whose text the alphabet can't express.
        audio_s: seconds of audio.
        cpu_s_per_audio_s: decoding, features, model and text, on one machine's processor.
    """

    manifest: str
    utterances: int
    left_out: int
    audio_s: float
    rates: ErrorRates
    cpu_s_per_audio_s: float


@dataclass(frozen=True)
class Heard:
    """A reference and what the model heard."""

    reference: str
    hypothesis: str


def evaluate_model(
    model: Path, manifests: Sequence[Path], json_path: Path | None, *, threads: int, show: int
) -> int:
    """Print a Markdown table, and write the figures to `json_path` if given. Returns 0."""
    recognizer = Recognizer(model, threads=threads)
    scores = []
    for path in manifests:
        score, heard = score_manifest(recognizer, path)
        scores.append(score)
        for one in islice(heard, show):
            print(f"  said:  {one.reference}\n  heard: {one.hypothesis}\n")
    print(markdown_table(scores))
    if json_path is not None:
        document = {
            "model_sha256": recognizer.sha256,
            "decoder": "greedy",
            "sets": [asdict(score) for score in scores],
        }
        json_path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


def score_manifest(recognizer: Recognizer, path: Path) -> tuple[Score, list[Heard]]:
    """Transcribe a manifest greedily and count errors.

    Raises:
        ManifestError: if no utterance of it can be scored.
    """
    utterances = read_manifest(path)
    references = [_reference(recognizer, utterance) for utterance in utterances]
    scored = [i for i, reference in enumerate(references) if reference]
    if not scored:
        raise ManifestError(f"{path}: expected texts to score against, got none")
    name = f"{path.parent.name}/{path.stem}"
    hypotheses: list[str] = []
    audio_s = 0.0
    started = time.process_time()
    with tqdm(total=len(scored), desc=name, unit="file") as bar:
        for batch in _batches(scored):
            texts, seconds = _transcribe(recognizer, [utterances[i].audio for i in batch])
            hypotheses += texts
            audio_s += seconds
            bar.update(len(batch))
    cpu_s = time.process_time() - started
    heard = [Heard(references[i], text) for i, text in zip(scored, hypotheses, strict=True)]
    rates = error_rates([h.reference for h in heard], hypotheses)
    left_out = len(utterances) - len(scored)
    score = Score(name, len(scored), left_out, round(audio_s, 2), rates, cpu_s / audio_s)
    return score, heard


def markdown_table(scores: Sequence[Score]) -> str:
    """One row a manifest."""
    lines = [
        "| manifest | utterances | minutes | CER | WER | CPU s per audio s |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {s.manifest} | {s.utterances} | {s.audio_s / 60:.1f} | {100 * s.rates.cer:.1f} % "
        f"| {100 * s.rates.wer:.1f} % | {s.cpu_s_per_audio_s:.4f} |"
        for s in scores
    ]
    return "\n".join(lines)


def _reference(recognizer: Recognizer, utterance: Utterance) -> str:
    """The normalised text, or "" if the alphabet can't express it."""
    try:
        return recognizer.spec.alphabet.normalise(utterance.text)
    except UnsupportedTextError:
        return ""


def _batches(indices: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(indices), _BATCH):
        yield indices[start : start + _BATCH]


def _transcribe(recognizer: Recognizer, paths: Sequence[Path]) -> tuple[list[str], float]:
    spec = recognizer.spec.features
    waveforms = [
        audio.load(path, spec.sample_rate_hz, min_samples=spec.window_samples).samples
        for path in paths
    ]
    seconds = sum(samples.size for samples in waveforms) / spec.sample_rate_hz
    return [greedy(one).text for one in recognizer.posteriors(waveforms)], seconds
