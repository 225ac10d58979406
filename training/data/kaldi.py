"""Kaldi's data directories: wav.scp, text, and if there are any, segments and utt2spk.

https://kaldi-asr.org/doc/data_prep.html
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from otoscope.errors import ManifestError
from otoscope.text_files import read_text
from training.data.utterances import Clip, Utterance

_TO_THE_END = -1.0


class _Line(NamedTuple):
    where: str
    rest: str


def read_kaldi(folder: Path) -> list[Utterance]:
    """The utterances of `segments`, or without it those of `wav.scp`; no `text` is an empty one.

    Raises:
        ManifestError: naming file and line; wav.scp may name files, and no commands.
    """
    recordings = {name: _file(line, folder) for name, line in _read(folder / "wav.scp").items()}
    texts = _read(folder / "text")
    if (folder / "segments").is_file():
        segments = _read(folder / "segments")
        clips = {name: _segment(line, recordings) for name, line in segments.items()}
    else:
        clips = {name: Clip(path) for name, path in recordings.items()}
    for name, line in texts.items():
        if name not in clips:
            raise ManifestError(f"{line.where}: expected an utterance with audio, got {name!r}")
    speakers = _read(folder / "utt2spk") if (folder / "utt2spk").is_file() else {}
    nothing = _Line("", "")
    return [
        Utterance(
            clip.audio,
            texts.get(name, nothing).rest,
            speakers.get(name, nothing).rest,
            clip.start_s,
            clip.duration_s,
        )
        for name, clip in clips.items()
    ]


def _read(path: Path) -> dict[str, _Line]:
    """Keys at the beginning of the lines, and the rest of each."""
    if not path.is_file():
        raise ManifestError(f"expected Kaldi's {path}, which does not exist")
    lines: dict[str, _Line] = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        name, *rest = line.split(maxsplit=1)[:2] or [""]
        if name in lines:
            raise ManifestError(f"{path}:{number}: expected different names, got {name!r} again")
        if name:
            lines[name] = _Line(f"{path}:{number}", rest[0].rstrip() if rest else "")
    return lines


def _file(line: _Line, folder: Path) -> Path:
    """A recording, as the recipe's folder (two above), the data's own or this one has it."""
    if not line.rest or line.rest.endswith("|"):
        raise ManifestError(
            f"{line.where}: expected an audio file, got {line.rest or 'nothing'!r}: "
            "commands are not run; write what they give to files"
        )
    places = [base / line.rest for base in (folder, folder.parent.parent, Path())]
    return next((place for place in places if place.is_file()), places[0])


def _segment(line: _Line, recordings: Mapping[str, Path]) -> Clip:
    fields = line.rest.split()
    try:
        recording, start, end = fields
        start_s, end_s = float(start), float(end)
    except ValueError:
        raise ManifestError(
            f"{line.where}: expected utterance, recording, start and end in seconds, "
            f"got {line.rest!r}"
        ) from None
    if recording not in recordings:
        raise ManifestError(f"{line.where}: expected a recording of wav.scp, got {recording!r}")
    if end_s == _TO_THE_END and start_s >= 0:
        return Clip(recordings[recording], start_s)
    if not 0 <= start_s < end_s < float("inf"):
        raise ManifestError(f"{line.where}: expected 0 <= start < end, got {start} and {end}")
    return Clip(recordings[recording], start_s, end_s - start_s)
