"""Rows of manifests with names for their fields: JSON lines, CSV and TSV, also Common Voice's.

NeMo's names are the first of each kind below, Common Voice's the second.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from otoscope.text_files import read_text
from training.data.utterances import ManifestError, Utterance

_AUDIO = ("audio_filepath", "path")
_TEXT = ("text", "sentence")
_SPEAKER = ("speaker", "client_id")
_CLIPS = "clips"
"""Common Voice's folder of recordings, beside its tables."""

_OTHER_TIMES = ("start", "end", "start_s", "end_s", "start_time", "end_time", "begin", "channel")
"""Other programs' names for a part of a recording. To pass them over would pair a text with all."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')

Row = Mapping[str, Any]


def read_json_lines(path: Path) -> list[Utterance]:
    """A JSON object a line; what separates lines elsewhere (U+2028) may stand in strings.

    Raises:
        ManifestError: naming the line.
    """
    utterances = []
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ManifestError(f"{path}:{number}: expected a JSON object: {error}") from None
        if not isinstance(row, dict):
            raise ManifestError(f"{path}:{number}: expected a JSON object, got {line[:40]!r}")
        utterances.append(_utterance(row, path, number))
    return utterances


def read_tsv(path: Path) -> list[Utterance]:
    """Lines of fields between tabs. Quotes are text, but for those around a whole field.

    Raises:
        ManifestError: naming the line.
    """
    lines = enumerate(read_text(path).split("\n"), 1)
    rows = [(number, line.rstrip("\r").split("\t")) for number, line in lines if line.strip()]
    return _of_rows([(number, [_unquoted(field) for field in row]) for number, row in rows], path)


def read_csv(path: Path) -> list[Utterance]:
    """RFC 4180, but for line breaks within fields: an odd quote would swallow rows.

    Raises:
        ManifestError: naming the line.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    rows = []
    try:
        for row in reader:
            if any("\n" in field or "\r" in field for field in row):
                raise ManifestError(
                    f"{path}:{reader.line_num}: expected fields of one line each, got one of "
                    "several: is a quote not closed, or not doubled?"
                )
            if row:
                rows.append((reader.line_num, row))
    except csv.Error as error:
        raise ManifestError(f"{path}:{reader.line_num}: expected CSV: {error}") from None
    return _of_rows(rows, path)


def _of_rows(rows: Sequence[tuple[int, Sequence[str]]], path: Path) -> list[Utterance]:
    if not rows:
        raise ManifestError(f"{path}: expected a line with the names of columns, got nothing")
    names = [name.strip() for name in rows[0][1]]
    if len(set(names)) != len(names):
        raise ManifestError(f"{path}:{rows[0][0]}: expected different columns, got {names}")
    utterances = []
    for number, row in rows[1:]:
        if len(row) != len(names):
            raise ManifestError(
                f"{path}:{number}: expected {len(names)} fields ({', '.join(names)}), "
                f"got {len(row)}: {row}"
            )
        utterances.append(_utterance(dict(zip(names, row, strict=True)), path, number))
    return utterances


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if _QUOTED.fullmatch(field) else field


def _utterance(row: Row, path: Path, line: int) -> Utterance:
    where = f"{path}:{line}"
    audio, text = _field(row, _AUDIO, where), _field(row, _TEXT, where)
    for name in _OTHER_TIMES:
        if row.get(name) not in (None, ""):
            raise ManifestError(
                f"{where}: expected parts of recordings as offset and duration in seconds, "
                f"got {name!r}"
            )
    folder = path.parent
    if "audio_filepath" not in row and (folder / _CLIPS).is_dir():
        folder /= _CLIPS
    speaker = next((row[name] for name in _SPEAKER if row.get(name)), "")
    return Utterance(folder / audio, text, str(speaker), *_part(row, where))


def _field(row: Row, names: Sequence[str], where: str) -> str:
    value = next((row[name] for name in names if row.get(name) is not None), None)
    if value is None:
        raise ManifestError(f"{where}: expected {names[0]!r}, got only {sorted(row)}")
    if not isinstance(value, str) or (names == _AUDIO and not value.strip()):
        raise ManifestError(f"{where}: expected a string as {names[0]!r}, got {value!r:.80}")
    return value


def _part(row: Row, where: str) -> tuple[float, float | None]:
    """Start and duration, in seconds: NeMo's `duration` cuts where there is an `offset` only."""
    if row.get("offset") in (None, ""):
        return 0.0, None
    start_s = _seconds(row["offset"], "offset", where)
    if row.get("duration") in (None, ""):
        return start_s, None
    duration_s = _seconds(row["duration"], "duration", where)
    if duration_s == 0:
        raise ManifestError(f"{where}: duration: expected more than 0 s, got {row['duration']!r}")
    return start_s, duration_s


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1 on, without empty ones; U+2028 separates none."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            yield number, line


def _seconds(value: object, name: str, where: str) -> float:
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ManifestError(f"{where}: {name}: expected seconds from 0 on, got {value!r:.80}")
    return seconds


def read_ljspeech(path: Path) -> list[Utterance]:
    """LJSpeech's metadata.csv: "id|text|normalized text", with the recordings in wavs/ beside it.

    Raises:
        ManifestError: naming the line.
    """
    utterances = []
    for number, line in _lines(path):
        name, *texts = line.rstrip("\r").split("|")
        audio = path.parent / "wavs" / (name if name.endswith(".wav") else f"{name}.wav")
        if len(texts) not in (1, 2) or not audio.is_file():
            raise ManifestError(
                f"{path}:{number}: expected LJSpeech's id|text|normalized text, and the recording "
                f"wavs/id.wav, got {line[:60]!r}"
            )
        utterances.append(Utterance(audio, next(filter(str.strip, reversed(texts)), "")))
    return utterances


def is_ljspeech(path: Path) -> bool:
    """Whether a .csv file's first line has bars, and no name of a column."""
    first: Iterator[str] = iter(read_text(path).split("\n"))
    line = next(first)
    return "|" in line and not any(name in line for name in _AUDIO[:1])
