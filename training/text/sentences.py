"""Plain text -> sentences in the alphabet's symbols."""

import gzip
import lzma
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from otoscope.vocabulary import Alphabet
from training.data.manifest import normalize_or_empty, read_manifest

_SENTENCE_END = re.compile("(?<=[.?!])[\"'\u201d\u2019)]*\\s+")
_OPEN: dict[str, Callable[..., Any]] = {".xz": lzma.open, ".gz": gzip.open}
_QUOTES = re.compile("(?<!\\w)['\u2018]|['\u2019](?!\\w)")


def sentences(texts: Iterable[Path], alphabet: Alphabet) -> Iterator[str]:
    """Sentences of text files, a paragraph a line, .xz and .gz unpacked.

    What the alphabet can't write, numbers in digits for instance, is left out.
    """
    for path in texts:
        for paragraph in _lines(path):
            for sentence in _SENTENCE_END.split(paragraph):
                if written := normalize_or_empty(_QUOTES.sub("", sentence), alphabet):
                    yield written


def held_out(manifests: Iterable[Path], alphabet: Alphabet) -> set[str]:
    """The texts of manifests that a model is measured on: nothing may be learned from them."""
    return {
        normalize_or_empty(utterance.text, alphabet)
        for manifest in manifests
        for utterance in read_manifest(manifest)
    }


def _lines(path: Path) -> Iterator[str]:
    with _OPEN.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
        yield from file
