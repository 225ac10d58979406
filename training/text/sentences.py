"""Plain text -> sentences in the alphabet's symbols."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from otoscope.errors import UnsupportedTextError
from otoscope.vocabulary import Alphabet
from training.data.manifest import normalize_or_empty, read_manifest
from training.data.text_lines import text_lines

_SENTENCE_END = re.compile("(?<=[.?!])[\"'\u201d\u2019)]*\\s+")
_MOST_TIMES = 1000
_QUOTES = re.compile("(?<!\\w)['\u2018]|['\u2019](?!\\w)")


def sentences(texts: Iterable[Path], alphabet: Alphabet) -> Iterator[str]:
    """Sentences of text files, a paragraph a line, .xz and .gz unpacked.

    What the alphabet can't write, numbers in digits for instance, is left out.
    """
    written = _Written(alphabet)
    between = " " if " " in alphabet.symbols else ""
    for path in texts:
        for paragraph in text_lines(path):
            for sentence in _SENTENCE_END.split(paragraph):
                words = [written[word] for word in _QUOTES.sub("", sentence).split()]
                if None not in words and (whole := between.join(filter(None, words))):
                    yield whole


def listed_words(lists: Iterable[Path], alphabet: Alphabet) -> Iterator[str]:
    """Words of files of a word a line, each as often as the number behind it says, or once."""
    for path in lists:
        for line in text_lines(path):
            *words, last = line.split() or [""]
            times = int(last) if words and last.isdecimal() else 1
            text = " ".join(words) if words and last.isdecimal() else line
            for word in normalize_or_empty(text, alphabet).split():
                yield from [word] * min(times, _MOST_TIMES)


class _Written(dict[str, str | None]):
    """Words in an alphabet's symbols, None for those that it can't write; each worked out once."""

    _MOST = 1_000_000  # the rarer ones of a long text come once or twice

    def __init__(self, alphabet: Alphabet) -> None:
        super().__init__()
        self._alphabet = alphabet

    def __missing__(self, word: str) -> str | None:
        try:
            written = self._alphabet.normalize(word)
        except UnsupportedTextError:
            written = None
        if len(self) < self._MOST:
            self[word] = written
        return written


def held_out(manifests: Iterable[Path], alphabet: Alphabet) -> set[str]:
    """The texts of manifests that a model is measured on: nothing may be learned from them."""
    return {
        normalize_or_empty(utterance.text, alphabet)
        for manifest in manifests
        for utterance in read_manifest(manifest)
    }
