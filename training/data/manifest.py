"""Manifests -> utterances with texts that the alphabet can express.

Two forms are read: NeMo's JSON lines (`audio_filepath`, `text`, and `duration` and `speaker` if
known) and CSV/TSV with the same names in a header line. Paths are relative to the manifest.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
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
    """One recording and what was said in it, as the source writes it."""

    audio: Path
    text: str
    speaker: str = ""
    duration_s: float | None = None


@dataclass(frozen=True)
class Selection:
    """Which utterances of a manifest can be learned from, and why the others can't.

    Attributes:
        kept: indices into the manifest.
        labels: for each kept one, (N,) int64 classes.
        unsupported_text, empty_text, wrong_duration, too_few_frames: how many were left out.
    """

    kept: tuple[int, ...]
    labels: tuple[ctc.Labels, ...]
    unsupported_text: int = 0
    empty_text: int = 0
    wrong_duration: int = 0
    too_few_frames: int = 0

    def report(self, name: str) -> str:
        """One line for people."""
        left_out = {
            "text outside the alphabet": self.unsupported_text,
            "no text": self.empty_text,
            "too short or too long": self.wrong_duration,
            "fewer frames than the text needs": self.too_few_frames,
        }
        reasons = ", ".join(f"{count} {why}" for why, count in left_out.items() if count)
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
    counts = {"unsupported_text": 0, "empty_text": 0, "wrong_duration": 0, "too_few_frames": 0}
    for index, (utterance, length) in enumerate(zip(utterances, frames, strict=True)):
        try:
            encoded = alphabet.encode(alphabet.normalize(utterance.text))
        except UnsupportedTextError:
            counts["unsupported_text"] += 1
            continue
        if encoded.size == 0:
            counts["empty_text"] += 1
        elif not bounds_frames[0] <= length <= bounds_frames[1]:
            counts["wrong_duration"] += 1
        elif -(-length // frame_stride) < ctc.min_frames(encoded):
            counts["too_few_frames"] += 1
        else:
            kept.append(index)
            labels.append(encoded)
    return Selection(tuple(kept), tuple(labels), **counts)


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
    duration = row.get("duration")
    try:
        duration_s = None if duration in (None, "") else float(duration)
    except ValueError:
        raise ManifestError(f"{path}:{line}: expected seconds, got {duration!r}") from None
    return Utterance(
        audio=path.parent / str(row["audio_filepath"]),
        text=str(row["text"]),
        speaker=str(row.get("speaker") or ""),
        duration_s=duration_s,
    )
