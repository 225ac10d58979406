"""Rows of manifests as utterances: JSON lines, CSV and TSV, also Common Voice's and LJSpeech's.

NeMo's names are the first of each kind below, Common Voice's the second.
"""

from collections.abc import Iterator
from pathlib import Path

from otoscope.errors import ManifestError
from otoscope.manifest_rows import (
    AUDIO_FIELD,
    Row,
    csv_rows,
    json_rows,
    lines_of,
    tsv_rows,
)
from otoscope.text_files import read_text
from training.data.utterances import Utterance

_AUDIO = (AUDIO_FIELD, "path")
_TEXT = ("text", "sentence")
_SPEAKER = ("speaker", "client_id")
_CLIPS = "clips"
"""Common Voice's folder of recordings, beside its tables."""

_OTHER_TIMES = ("start", "end", "start_s", "end_s", "start_time", "end_time", "begin", "channel")
"""Other programs' names for a part of a recording. To pass them over would pair a text with all."""


def read_json_lines(path: Path) -> list[Utterance]:
    """A JSON object a line; ManifestError naming the line that is none."""
    return [_utterance(row, path) for row in json_rows(read_text(path), str(path))]


def read_tsv(path: Path) -> list[Utterance]:
    """Fields between tabs, under their names; ManifestError naming the line that does not fit."""
    return [_utterance(row, path) for row in tsv_rows(read_text(path), str(path))]


def read_csv(path: Path) -> list[Utterance]:
    """Fields as in RFC 4180, under their names; ManifestError as of `read_tsv`."""
    return [_utterance(row, path) for row in csv_rows(read_text(path), str(path))]


def _utterance(row: Row, path: Path) -> Utterance:
    fields = row.fields
    audio, text = row.text(_AUDIO), row.text(_TEXT)
    for name in _OTHER_TIMES:
        if fields.get(name) not in (None, ""):
            raise ManifestError(
                f"{row.where}: expected parts of recordings as offset and duration in seconds, "
                f"got {name!r}"
            )
    folder = path.parent
    if AUDIO_FIELD not in fields and (folder / _CLIPS).is_dir():
        folder /= _CLIPS
    speaker = next((fields[name] for name in _SPEAKER if fields.get(name)), "")
    return Utterance(folder / audio, text, str(speaker), *row.part())


def read_ljspeech(path: Path) -> list[Utterance]:
    """LJSpeech's metadata.csv: "id|text|normalized text", with the recordings in wavs/ beside it.

    Raises:
        ManifestError: naming the line.
    """
    utterances = []
    for number, line in lines_of(read_text(path)):
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
