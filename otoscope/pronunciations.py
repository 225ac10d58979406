"""How words sound: a pronouncing dictionary, read.

The form is that of the CMU Pronouncing Dictionary: a word and its phonemes a line, `#` before a
remark, `word(2)` for a further pronunciation. Of several the first counts, and marks of stress (the
digits after a vowel) are dropped.
"""

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

from otoscope.ctc import Labels
from otoscope.errors import DictionaryError
from otoscope.vocabulary import PhonemeSet

FILE_NAME = "pronunciations.txt.gz"
"""Of the dictionary that lies beside a model."""

Entries = Mapping[str, tuple[str, ...]]
"""Words in lower case -> names of phonemes."""


class Pronunciations:
    """Texts -> classes of a phoneme head."""

    def __init__(self, entries: Entries, phonemes: PhonemeSet) -> None:
        self._entries = entries
        self._phonemes = phonemes

    def labels(self, text: str) -> Labels | None:
        """Phoneme classes (N,) int64 of a text; None if it holds no word, or one not listed."""
        spoken: list[str] = []
        for word in text.split():
            if word not in self._entries:
                return None
            spoken += self._entries[word]
        return self._phonemes.encode(spoken) if spoken else None


def read_entries(path: Path, phonemes: PhonemeSet) -> Entries:
    """Read a dictionary, plain or compressed (.gz).

    Raises:
        DictionaryError: on a missing file, a word without phonemes, or phonemes outside the set.
    """
    if not path.is_file():
        raise DictionaryError(f"expected a pronouncing dictionary, got {path}, which is no file")
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = data.decode("utf-8").splitlines()
    except (OSError, EOFError, ValueError) as error:
        raise DictionaryError(f"{path}: expected a pronouncing dictionary: {error}") from error
    known = set(phonemes.symbols)
    entries: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, 1):
        word, *marked = line.partition("#")[0].split() or [""]
        names = tuple(name.rstrip("012") for name in marked)
        if not word or _is_variant(word):
            continue
        if not names or not known.issuperset(names):
            raise DictionaryError(
                f"{path}:{number}: expected a word and phonemes of {' '.join(phonemes.symbols)}, "
                f"got {line!r}"
            )
        entries.setdefault(word.lower(), names)
    return entries


def write_entries(path: Path, entries: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Write a compressed dictionary, the same bytes for the same entries."""
    text = "".join(f"{word} {' '.join(names)}\n" for word, names in entries)
    path.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))


def _is_variant(word: str) -> bool:
    """Whether `word` is marked as a further pronunciation: "read(2)"."""
    return word.endswith(")") and word.partition("(")[2][:-1].isdigit()
