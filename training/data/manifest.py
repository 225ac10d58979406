"""Manifests -> utterances with texts that the alphabet can express.

What is read: NeMo's JSON lines (`audio_filepath`, `text`, and `speaker`, `offset`, `duration` if
known), CSV and TSV with the same names in a header line, Common Voice's TSV, LJSpeech's
metadata.csv, and Kaldi's data directories. Paths are relative to the manifest.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from otoscope import ctc
from otoscope.errors import ManifestError, UnsupportedTextError
from otoscope.vocabulary import Alphabet
from training.data.alphabets import propose_alphabet
from training.data.kaldi import read_kaldi
from training.data.tables import is_ljspeech, read_csv, read_json_lines, read_ljspeech, read_tsv
from training.data.utterances import Utterance

_MOST_EXAMPLES = 3
_MOST_CHARACTERS = 20


@dataclass(frozen=True)
class LeftOut:
    """Utterances that can't be used, and why.

    Attributes:
        counts: how many, for each reason.
        examples: the first few of each.
        characters: that the alphabet lacks, and in how many of them each stands.
        folded: letters that it lacks and what they are written as, and in how many texts that
            are kept each stands.
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    characters: Counter[str] = field(default_factory=Counter)
    folded: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, reason: str, utterance: Utterance, characters: Iterable[str] = ()) -> None:
        """Count one more."""
        self.counts[reason] += 1
        self.characters.update(characters)
        examples = self.examples.setdefault(reason, [])
        if len(examples) < _MOST_EXAMPLES:
            examples.append(f"{utterance.text[:60]!r} ({utterance.audio.name})")

    def encode(self, utterance: Utterance, alphabet: Alphabet) -> ctc.Labels | None:
        """Its text as classes (N,) int64; None, and it is counted, if there are none."""
        try:
            labels = alphabet.encode(alphabet.normalize(utterance.text))
        except UnsupportedTextError as error:
            self.add("text outside the alphabet", utterance, error.characters)
            return None
        if labels.size == 0:
            self.add("no text", utterance)
            return None
        self.folded.update(alphabet.folds(utterance.text).items())
        return labels

    def report(self, head: str) -> str:
        """For people: one line, and one for each reason with the first that it befell."""
        reasons = ", ".join(f"{count} {why}" for why, count in self.counts.items())
        lines = [head + (f"; left out: {reasons}" if reasons else "")]
        lines += [f"  {why}: {', '.join(texts)}" for why, texts in self.examples.items()]
        if self.characters:
            most = self.characters.most_common(_MOST_CHARACTERS)
            listed = ", ".join(f"{character!r} in {count}" for character, count in most)
            more = ", ..." if len(self.characters) > _MOST_CHARACTERS else ""
            lines.append(f"  characters that the alphabet lacks: {listed}{more}")
        if self.folded:
            folded = self.folded.most_common(_MOST_CHARACTERS)
            listed = ", ".join(f"{one!r} as {form!r} in {count}" for (one, form), count in folded)
            lines.append(f"  letters that it lacks and that are written as others: {listed}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Selection:
    """Which utterances of a manifest can be learned from, and why the others can't.

    Attributes:
        kept: indices into the manifest.
        labels: for each kept one, (N,) int64 classes.
        left_out: the others.
    """

    kept: tuple[int, ...]
    labels: tuple[ctc.Labels, ...]
    left_out: LeftOut

    def report(self, name: str, more: str = "") -> str:
        """For people; `more` is said after the number of utterances."""
        return self.left_out.report(f"{name}: {len(self.kept)} utterances{more}")


def read_manifest(path: Path) -> list[Utterance]:
    """Read a manifest: .jsonl, .json (lines), .csv, .tsv, or a folder of Kaldi's.

    Raises:
        ManifestError: on a missing file, another suffix, a row without audio or text, and parts of
            recordings that are given in another way than by `offset` and `duration`.
        EncodingError: on text that is not Unicode.
    """
    if path.is_dir():
        return read_kaldi(path)
    if not path.is_file():
        raise ManifestError(f"expected a manifest, got {path}, which does not exist")
    match path.suffix.lower():
        case ".jsonl" | ".json":
            return read_json_lines(path)
        case ".tsv":
            return read_tsv(path)
        case ".csv":
            return read_ljspeech(path) if is_ljspeech(path) else read_csv(path)
        case suffix:
            raise ManifestError(
                f"{path}: expected .jsonl, .json, .csv, .tsv or a Kaldi folder, got {suffix!r}"
            )


def write_manifest(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def manifest_name(path: Path) -> str:
    """Its folder and its own name, for tables: "librispeech/dev"."""
    return f"{path.parent.name}/{path.stem}"


def normalize_or_empty(text: str, alphabet: Alphabet) -> str:
    """The text in the alphabet's symbols, or "" if it can't be written so."""
    try:
        return alphabet.normalize(text)
    except UnsupportedTextError:
        return ""


def require_writable(name: str, utterances: Sequence[Utterance], alphabet: Alphabet) -> None:
    """Refuse texts none of which the alphabet can write: it is another language's.

    Raises:
        ManifestError: naming the characters, and an alphabet that would do.
    """
    left_out = LeftOut()
    texts = [one for one in utterances if one.text.strip()]
    if not texts or any(left_out.encode(one, alphabet) is not None for one in texts):
        return
    most = " ".join(one for one, _ in left_out.characters.most_common(_MOST_CHARACTERS))
    proposed = propose_alphabet(one.text for one in texts)
    instead = (
        ""
        if proposed is None
        else f": alphabet = {json.dumps(proposed.joined, ensure_ascii=False)} would do"
    )
    raise ManifestError(
        f"{name}: expected texts in the alphabet {alphabet.joined!r}, got none in {len(texts)}; it "
        f"lacks {most or 'all that they hold'}{instead}"
    )


def select(
    utterances: Sequence[Utterance],
    frames: Sequence[int],
    alphabet: Alphabet,
    frame_stride: int,
    bounds_frames: tuple[float, float] = (1, np.inf),
    *,
    silence: bool = False,
) -> Selection:
    """Keep what CTC can learn from.

    Args:
        utterances: of one manifest.
        frames: feature frames of each, at the fastest speed that will be used.
        alphabet: of the model.
        frame_stride: feature frames per output frame: T' = ceil(frames / stride) must hold the
            text's N symbols and a blank between equal neighbours.
        bounds_frames: fewest and most feature frames.
        silence: keep empty texts, too.
    """
    kept, labels = [], []
    left_out = LeftOut()
    for index, (utterance, length) in enumerate(zip(utterances, frames, strict=True)):
        empty = silence and not utterance.text.strip()
        encoded = alphabet.encode("") if empty else left_out.encode(utterance, alphabet)
        if encoded is None:
            continue
        if not bounds_frames[0] <= length <= bounds_frames[1]:
            left_out.add("too short or too long", utterance)
        elif -(-length // frame_stride) < ctc.min_frames(encoded):
            left_out.add("fewer frames than the text needs", utterance)
        else:
            kept.append(index)
            labels.append(encoded)
    return Selection(tuple(kept), tuple(labels), left_out)
