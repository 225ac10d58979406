"""Folders of recordings, and the output path of each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from otoscope.audio import AUDIO_SUFFIXES
from otoscope.bulk.local_files import files_in


@dataclass(frozen=True)
class Found:
    """The files of a folder.

    Attributes:
        recordings: files with an audio suffix, also in subfolders, the largest first: when several
            are transcribed at a time, no long one is left at the end.
        others: all other files.
    """

    recordings: tuple[Path, ...]
    others: tuple[Path, ...]


def find_recordings(folder: Path) -> Found:
    """Search a folder; hidden files and folders, and links to folders, are skipped.

    Raises:
        OSError: if it can't be read.
    """
    files = sorted(files_in(folder))
    audio = [each for each in files if each.suffix.lower() in AUDIO_SUFFIXES]
    others = tuple(each for each in files if each.suffix.lower() not in AUDIO_SUFFIXES)
    return Found(tuple(sorted(audio, key=lambda each: -each.stat().st_size)), others)


def outputs_for(recordings: Iterable[Path], suffix: str) -> dict[Path, Path]:
    """An output path with that suffix for each recording, beside it.

    `a.wav` becomes `a.txt`; beside `a.mp3` both keep their suffix: `a.wav.txt` and `a.mp3.txt`.
    """
    recordings = tuple(recordings)
    count = Counter(each.with_suffix("") for each in recordings)
    return {
        each: each.with_name(
            f"{each.stem if count[each.with_suffix('')] == 1 else each.name}{suffix}"
        )
        for each in recordings
    }
