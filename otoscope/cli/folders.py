"""Folders of recordings, and a file for what is said in each."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from otoscope.audio import AUDIO_SUFFIXES


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Attributes:
        recordings: files that are named as audio, also in folders below it, the largest first:
            where several are transcribed at a time, none is still long when all others are done.
        others: files that are not.
    """

    recordings: tuple[Path, ...]
    others: tuple[Path, ...]


def find_recordings(folder: Path) -> Found:
    """Look through a folder; hidden files and folders, and links to folders, are left alone.

    Raises:
        OSError: if it can't be read.
    """
    files = sorted(_files(folder))
    audio = [each for each in files if each.suffix.lower() in AUDIO_SUFFIXES]
    others = tuple(each for each in files if each.suffix.lower() not in AUDIO_SUFFIXES)
    return Found(tuple(sorted(audio, key=lambda each: -each.stat().st_size)), others)


def outputs_for(recordings: Iterable[Path], suffix: str) -> dict[Path, Path]:
    """A file with that suffix for each recording, beside it.

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


def _files(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file():
                yield path
