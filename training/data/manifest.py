"""Manifests -> utterances with texts that the alphabet can express.

Two forms are read: NeMo's JSON lines (`audio_filepath`, `text`, and `speaker` if known) and CSV/TSV
with the same names in a header line. Paths are relative to the manifest.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from otoscope import ctc
from otoscope.errors import OtoscopeError, UnsupportedTextError
from otoscope.vocabulary import Alphabet


class ManifestError(OtoscopeError):
    """A manifest can't be read: the message names file, line and what was expected."""


@dataclass(frozen=True)
class Utterance:
    """One recording and its text, as the source writes it."""

    audio: Path
    text: str
    speaker: str = ""


@dataclass(frozen=True)
class Selection:
    """Which utterances of a manifest can be learned from, and why the others can't.

    Attributes:
        kept: indices into the manifest.
        labels: for each kept one, (N,) int64 classes.
        left_out: how many, for each reason.
    """

    kept: tuple[int, ...]
    labels: tuple[ctc.Labels, ...]
    left_out: Mapping[str, int]

    def report(self, name: str) -> str:
        """One line for people."""
        reasons = ", ".join(f"{count} {why}" for why, count in self.left_out.items())
        return f"{name}: {len(self.kept)} utterances" + (
            f"; left out: {reasons}" if reasons else ""
        )


def read_manifest(path: Path) -> list[Utterance]:
    """Read a .jsonl/.json (JSON lines), .csv or .tsv manifest.

    Raises:
        ManifestError: on a missing file, another suffix, or a line without audio or text.
    """
    if not path.is_file():
        raise ManifestError(f"expected a manifest, got {path}, which does not exist")
    suffix = path.suffix.lower()
    rows: Iterable[tuple[int, dict[str, Any]]]
    if suffix in (".jsonl", ".json"):
        rows = _json_lines(path)
    elif suffix in (".csv", ".tsv"):
        rows = _table(path, "\t" if suffix == ".tsv" else ",")
    else:
        raise ManifestError(f"{path}: expected .jsonl, .json, .csv or .tsv, got {suffix!r}")
    return [_utterance(row, path, line) for line, row in rows]


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


def select(
    utterances: Sequence[Utterance],
    frames: Sequence[int],
    alphabet: Alphabet,
    frame_stride: int,
    bounds_frames: tuple[float, float] = (1, np.inf),
) -> Selection:
    """Keep what CTC can learn from.

    Args:
        utterances: of one manifest.
        frames: feature frames of each, at the fastest speed that will be used.
        alphabet: of the model.
        frame_stride: feature frames per output frame: T' = ceil(frames / stride) must hold the
            text's N symbols and a blank between equal neighbours.
        bounds_frames: fewest and most feature frames.
    """
    kept, labels = [], []
    left_out: Counter[str] = Counter()
    for index, (utterance, length) in enumerate(zip(utterances, frames, strict=True)):
        try:
            encoded = alphabet.encode(alphabet.normalize(utterance.text))
        except UnsupportedTextError:
            left_out["text outside the alphabet"] += 1
            continue
        if encoded.size == 0:
            left_out["no text"] += 1
        elif not bounds_frames[0] <= length <= bounds_frames[1]:
            left_out["too short or too long"] += 1
        elif -(-length // frame_stride) < ctc.min_frames(encoded):
            left_out["fewer frames than the text needs"] += 1
        else:
            kept.append(index)
            labels.append(encoded)
    return Selection(tuple(kept), tuple(labels), left_out)


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ManifestError(f"{path}:{number}: expected a JSON object: {error}") from None
        if not isinstance(row, dict):
            raise ManifestError(f"{path}:{number}: expected a JSON object, got {line[:40]!r}")
        yield number, row


def _table(path: Path, delimiter: str) -> Iterable[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(enumerate(csv.DictReader(file, delimiter=delimiter), 2))


def _utterance(row: dict[str, Any], path: Path, line: int) -> Utterance:
    missing = [key for key in ("audio_filepath", "text") if row.get(key) is None]
    if missing:
        raise ManifestError(f"{path}:{line}: expected {missing}, got only {sorted(row)}")
    audio, text = path.parent / str(row["audio_filepath"]), str(row["text"])
    return Utterance(audio, text, str(row.get("speaker") or ""))
