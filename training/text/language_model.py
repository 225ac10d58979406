"""Text -> a pruned word trigram, and how well it predicts the dev sets.

Estimation is IRSTLM's (Federico et al. 2008), from the Debian package `irstlm`: improved Kneser-Ney
smoothing without singleton trigrams, then pruning by weighted difference.
"""

import itertools
import math
import os
import subprocess
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from otoscope.decoding.ngram import NgramModel, from_arpa
from otoscope.errors import OtoscopeError
from otoscope.sidecars import write_sidecar
from otoscope.vocabulary import Alphabet
from training.data.manifest import manifest_name, normalize_or_empty, read_manifest
from training.text.sentences import held_out, sentences

IRSTLM = Path("/usr/lib/irstlm")
ORDER = 3


class EstimationError(OtoscopeError):
    """IRSTLM is missing or failed."""


@dataclass(frozen=True)
class LmScore:
    """How well a language model predicts one manifest.

    Attributes:
        perplexity: of its words and sentence ends, unknown words left out.
        unknown_share: part of its words that are not in the vocabulary.
    """

    manifest: str
    words: int
    perplexity: float
    unknown_share: float

    def __str__(self) -> str:
        unknown = f"{100 * self.unknown_share:.1f} % unknown words"
        return f"{self.manifest}: perplexity {self.perplexity:.0f}, {unknown}"


@dataclass(frozen=True)
class Report:
    """For lm.json beside the model."""

    sentences: int
    running_words: int
    vocabulary: int
    size_bytes: int
    sources: tuple[str, ...]
    dev: tuple[LmScore, ...]


def build(
    texts: Sequence[Path],
    manifests: Sequence[Path],
    alphabet: Alphabet,
    dev: Sequence[Path],
    out: Path,
    *,
    repeat: int = 4,
    min_count: int = 3,
    prune: float = 1e-8,
) -> Report:
    """Estimate, prune and write `out` (.npz), and lm.json beside it.

    Args:
        texts: files of plain text, .xz and .gz too, a paragraph a line.
        manifests: whose transcripts are added.
        alphabet: that sentences have to be written in.
        dev: manifests whose sentences are left out wherever they stand, also where another speaker
            reads them in a training manifest: what a model is measured on must not be in it.
        out: the language model.
        repeat: how often each transcript counts: they are few, and like what is to be recognised.
        min_count: words rarer than this are unknown words.
        prune: threshold of IRSTLM's pruning for bigrams and trigrams, natural log difference.

    Raises:
        EstimationError: if IRSTLM is not installed or fails.
    """
    forbidden = held_out(dev, alphabet)
    transcripts = (
        normalize_or_empty(utterance.text, alphabet)
        for manifest in manifests
        for utterance in read_manifest(manifest)
        for _ in range(repeat)
    )
    lines = [
        one
        for one in itertools.chain(sentences(texts, alphabet), transcripts)
        if one and one not in forbidden
    ]
    counts = Counter(word for line in lines for word in line.split())
    with TemporaryDirectory() as folder:
        known = {word for word, count in counts.items() if count >= min_count}
        arpa = _estimate(lines, known, prune, Path(folder))
        out.parent.mkdir(parents=True, exist_ok=True)
        from_arpa(arpa).save(out)
    model = NgramModel.load(out)
    report = Report(
        sentences=len(lines),
        running_words=counts.total(),
        vocabulary=len(model.vocabulary),
        size_bytes=out.stat().st_size,
        sources=(*(path.name for path in texts), *map(manifest_name, manifests)),
        dev=tuple(measure(model, path, alphabet) for path in dev),
    )
    write_sidecar(out.with_name("lm.json"), report)
    return report


def measure(model: NgramModel, manifest: Path, alphabet: Alphabet) -> LmScore:
    """Perplexity and share of unknown words on a manifest's texts."""
    events, words, unknown, log_prob = 0, 0, 0, 0.0
    for utterance in read_manifest(manifest):
        text = normalize_or_empty(utterance.text, alphabet).split()
        missing = sum(word not in model.numbers for word in text)
        words += len(text)
        unknown += missing
        if text and not missing:
            log_prob += model.log_prob(text)
            events += len(text) + 1
    perplexity = math.exp(-log_prob / events) if events else math.inf
    return LmScore(manifest_name(manifest), words, perplexity, unknown / max(words, 1))


def _estimate(lines: Sequence[str], known: Set[str], prune: float, folder: Path) -> Path:
    """Run IRSTLM's three steps; returns the pruned ARPA file."""
    text = folder / "text"
    with text.open("w", encoding="utf-8") as file:
        for line in lines:
            words = (word if word in known else "<unk>" for word in line.split())
            file.write(f"<s> {' '.join(words)} </s>\n")
    estimated, arpa, pruned = folder / "lm.ilm.gz", folder / "lm.arpa", folder / "pruned.arpa"
    script = ["-i", text, "-n", ORDER, "-k", 3, "-s", "improved-kneser-ney", "-p"]
    _run("build-lm.sh", *script, "-t", folder / "parts", "-o", estimated, folder=folder)
    if not estimated.exists():  # the script ends with 0 all the same
        raise EstimationError(
            f"expected enough text for Kneser-Ney smoothing, got {len(lines)} sentences: "
            "too few n-grams occur just once, twice or three times"
        )
    _run("compile-lm", estimated, "--text=yes", arpa, folder=folder)
    thresholds = ",".join([f"{prune:g}"] * (ORDER - 1))
    _run("prune-lm", f"--threshold={thresholds}", arpa, pruned, folder=folder)
    return pruned


def _run(program: str, *arguments: object, folder: Path) -> None:
    path = IRSTLM / "bin" / program
    if not path.exists():
        raise EstimationError(
            f"expected IRSTLM's {program} at {path}; on Debian and Ubuntu: apt-get install irstlm"
        )
    environment = {**os.environ, "IRSTLM": str(IRSTLM)}
    environment["PATH"] = f"{IRSTLM / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    done = subprocess.run(  # noqa: S603 - a program of a fixed folder
        [str(path), *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EstimationError(f"{program} ended with {done.returncode}: {done.stderr[-500:]}")
