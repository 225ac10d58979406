"""Plain text -> sentences in the alphabet's symbols."""

import gzip
import lzma
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from otoscope.errors import UnsupportedTextError
from otoscope.vocabulary import Alphabet
from training.data.manifest import read_manifest

_SENTENCE_END = re.compile("(?<=[.?!])[\"'\u201d\u2019)]*\\s+")
_QUOTES = re.compile("(?<!\\w)['\u2018]|['\u2019](?!\\w)")


def sentences(texts: Iterable[Path], alphabet: Alphabet) -> Iterator[str]:
    """Sentences of text files, a paragraph a line, .xz and .gz unpacked.

    What the alphabet can't write, numbers in digits for instance, is left out.
    """
    for path in texts:
        for paragraph in _lines(path):
            for sentence in _SENTENCE_END.split(paragraph):
                if written := normalize(_QUOTES.sub("", sentence), alphabet):
                    yield written


def held_out(manifests: Iterable[Path], alphabet: Alphabet) -> set[str]:
    """The texts of manifests that a model is measured on: nothing may be learned from them."""
    return {
        normalize(utterance.text, alphabet)
        for manifest in manifests
        for utterance in read_manifest(manifest)
    }


def normalize(text: str, alphabet: Alphabet) -> str:
    """The text in the alphabet's symbols, or "" if it can't be written so."""
    try:
        return alphabet.normalize(text)
    except UnsupportedTextError:
        return ""


def _lines(path: Path) -> Iterator[str]:
    if path.suffix == ".xz":
        with lzma.open(path, "rt", encoding="utf-8") as file:
            yield from file
    elif path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield from file
    else:
        with path.open(encoding="utf-8") as file:
            yield from file
