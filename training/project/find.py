"""A folder of recordings and texts in any of the usual forms -> utterances, by their part in it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from otoscope.audio import AUDIO_SUFFIXES
from otoscope.errors import ManifestError
from otoscope.text_files import read_text
from training.data.manifest import read_manifest
from training.data.utterances import Clip, Utterance

_MANIFESTS = (".jsonl", ".json", ".tsv", ".csv")
_NOT_SPEECH = re.compile(
    r"(^|[_.-])(invalidated|other|reported|durations|sentences|unlabelled|unlabeled|noise)([_.-]|$)"
)
_DEV = re.compile(r"(^|[_.-])(dev|valid|validation|eval)([_.-]|$)")
_TEST = re.compile(r"(^|[_.-])test([_.-]|$)")
_VALIDATED = "validated"


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Attributes:
        train, dev: utterances; no dev set where the folder names none.
        words: what was read, and what was not, for people.
    """

    train: list[Utterance]
    dev: list[Utterance]
    words: tuple[str, ...]


def find(data: Path) -> Found:
    """Read a manifest, or what lies in a folder or in folders one below it.

    Test sets are left alone. Common Voice's validated.tsv stands for its small train.tsv.

    Raises:
        ManifestError: if there is nothing, or something can't be read.
    """
    if data.is_file():
        return Found(read_manifest(data), [], (f"{data}: read as a manifest",))
    if not data.is_dir():
        raise ManifestError(f"--data: expected a folder or a manifest, got {data}, neither")
    for folders in ([data], sorted(each for each in data.iterdir() if each.is_dir())):
        if manifests := [one for folder in folders for one in _manifests(folder)]:
            return _read(manifests)
    return _side_by_side(data)


def _manifests(folder: Path) -> list[Path]:
    if (folder / "wav.scp").is_file():
        return [folder]
    names = {each.stem for each in folder.iterdir() if each.suffix.lower() in _MANIFESTS}
    return sorted(
        each
        for each in folder.iterdir()
        if each.is_file()
        and each.suffix.lower() in _MANIFESTS
        and not _NOT_SPEECH.search(each.stem)
        and _names_recordings(each)
        and not (each.stem == "train" and _VALIDATED in names)
    )


def _names_recordings(path: Path) -> bool:
    """Whether a file's first line is a manifest's: folders hold other tables, too."""
    first = read_text(path).split("\n", 1)[0]
    columns = [name.strip('" \r') for name in re.split(r"[\t,]", first)]
    return "audio_filepath" in first or "path" in columns or "|" in first


def _read(manifests: Sequence[Path]) -> Found:
    train: list[Utterance] = []
    dev: list[Utterance] = []
    words = []
    kept_back: defaultdict[Path, list[Clip]] = defaultdict(list)
    for path in manifests:
        role = "test" if _TEST.search(path.stem) else "dev" if _DEV.search(path.stem) else "train"
        utterances = read_manifest(path)
        words.append(f"{path}: {len(utterances)} utterances, " + _ROLES[role])
        if role == "train":
            train += utterances
        else:
            for one in utterances:
                kept_back[one.audio].append(one.clip)
            dev += utterances if role == "dev" else []
    free = [one for one in train if not any(map(one.clip.overlaps, kept_back.get(one.audio, ())))]
    if len(free) < len(train):
        words.append(f"{len(train) - len(free)} to learn from are left out: they are kept back")
    return Found(free, dev, tuple(words))


_ROLES = {
    "train": "to learn from",
    "dev": "to choose by",
    "test": "left alone: for a test after all is done",
}


def _side_by_side(data: Path) -> Found:
    """Each recording with a text of its name; folders are speakers, where there are several."""
    recordings = [each for each in sorted(data.rglob("*")) if each.suffix.lower() in AUDIO_SUFFIXES]
    with_text = [each for each in recordings if each.with_suffix(".txt").is_file()]
    if not with_text:
        raise ManifestError(
            f"{data}: expected {', '.join(_MANIFESTS)}, Kaldi's wav.scp, LJSpeech's metadata.csv "
            f"or recordings with .txt files of their names, got {len(recordings)} recordings alone"
        )
    folders = {each.parent for each in with_text}
    utterances = [Utterance(each, _text(each), _speaker(each, folders)) for each in with_text]
    words = [f"{data}: {len(utterances)} recordings with a .txt file each"]
    if len(with_text) < len(recordings):
        words.append(f"{len(recordings) - len(with_text)} recordings have no .txt file")
    return Found(utterances, [], tuple(words))


def _speaker(recording: Path, folders: Iterable[Path]) -> str:
    return recording.parent.name if len(set(folders)) > 1 else ""


def _text(recording: Path) -> str:
    """Of the file beside it, lines joined."""
    return " ".join(read_text(recording.with_suffix(".txt")).split())
