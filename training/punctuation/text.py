"""Texts -> numbered words and their labels, streamed once and kept as memory-mapped arrays."""

import hashlib
import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from otoscope.atomic_files import replacing
from otoscope.errors import EmptyTextError
from otoscope.written.spec import MARKS
from training.data.text_lines import text_lines
from training.punctuation.tokens import (
    CAPITAL,
    COMMA,
    ELLIPSIS,
    LOWER,
    MIXED,
    NOTHING,
    STOP,
    UNKNOWN_CASE,
    Heard,
    heard,
)

_VERSION = 1
"""Of what is made of a text: kept arrays of another version are computed again."""

_DASH = re.compile(r"\s*(?:-{2,}|[\u2013\u2014\u2015]|(?<=\s)-(?=\s))\s*")
_ENDED = re.compile(r"[.?!,;:\u2026][\"'\u201d\u2019)\]]*$")
_MOST_TOKENS = 1_000_000  # kept by their spelling; the rarer ones come once or twice
_LEAST_MIXED = 20


@dataclass(frozen=True)
class LabelledText:
    """Heard words of a text in order.

    Attributes:
        name: of the text.
        numbers: (words,) uint32, of each word's type.
        labels: (words,) uint8, `case * 5 + mark`; case 4 is not known.
        types: the different words.
        lexicon: how words of mixed case are written.
    """

    name: str
    numbers: npt.NDArray[np.uint32]
    labels: npt.NDArray[np.uint8]
    types: tuple[str, ...]
    lexicon: dict[str, str]

    @property
    def words(self) -> int:
        """Running words."""
        return self.numbers.size


def cases_of(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Places in CASES, or UNKNOWN_CASE."""
    return labels.astype(np.int64) // len(MARKS)


def marks_of(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Places in MARKS."""
    return labels.astype(np.int64) % len(MARKS)


def labelled_text(path: Path, cache: Path, most_words: int | None = None) -> LabelledText:
    """Open a text, reading it if that was not done before.

    Args:
        path: plain, .gz or .xz; a paragraph a line.
        cache: folder of arrays.
        most_words: stop after about so many.

    Raises:
        FileNotFoundError: if there is no such file.
        EmptyTextError: if it holds no sentence.
    """
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256(f"{_VERSION} {content} {most_words}".encode()).hexdigest()[:16]
    stem = cache / f"{path.name.split('.')[0]}-{digest}"
    names = [stem.with_name(f"{stem.name}.{end}") for end in ("words.npy", "labels.npy", "json")]
    if not names[2].is_file():
        stream = _labelled(text_lines(path), most_words)
        if not stream.numbers:
            raise EmptyTextError(f"{path}: expected sentences with punctuation, got none")
        _write(stream, names)
    facts = json.loads(names[2].read_text(encoding="utf-8"))
    return LabelledText(
        path.name,
        np.load(names[0], mmap_mode="r"),
        np.load(names[1], mmap_mode="r"),
        tuple(facts["types"]),
        facts["lexicon"],
    )


def labelled_lines(lines: Iterable[str], name: str = "") -> LabelledText:
    """Words of lines in memory, in order; none if they hold no sentence."""
    stream = _labelled(lines, None)
    return LabelledText(
        name,
        np.frombuffer(stream.numbers, dtype=np.uint32),
        np.frombuffer(stream.labels, dtype=np.uint8),
        tuple(stream.types),
        {},
    )


def merged_lexicon(texts: Iterable[LabelledText]) -> dict[str, str]:
    """How words of mixed case are written; the first text that knows one decides."""
    lexicon: dict[str, str] = {}
    for text in texts:
        lexicon = {**text.lexicon, **lexicon}
    return lexicon


@dataclass
class _Stream:
    numbers: "array[int]"
    labels: "array[int]"
    types: dict[str, int]
    mixed: Counter[tuple[str, str]]

    def add(self, one: Heard, mark: int) -> None:
        last = len(one.words) - 1
        for place, (word, case) in enumerate(zip(one.words, one.cases, strict=True)):
            self.numbers.append(self.types.setdefault(word, len(self.types)))
            self.labels.append(case * len(MARKS) + (mark if place == last else NOTHING))
            if case == MIXED and last == 0:
                self.mixed[word, one.form] += 1


def _labelled(lines: Iterable[str], most_words: int | None) -> _Stream:
    stream = _Stream(array("I"), array("B"), {}, Counter())
    known: dict[str, Heard | None] = {}
    for line in lines:
        if _is_prose(line):
            for one, mark in _resolved(_tokens(_DASH.sub(", ", line), known)):
                stream.add(one, mark)
        if most_words is not None and len(stream.numbers) >= most_words:
            break
    return stream


def _is_prose(line: str) -> bool:
    """Neither a heading in capitals nor a line of a table, of contents or of verse."""
    letters = sum(map(str.isalpha, line))
    return _ENDED.search(line.rstrip()) is not None and sum(map(str.isupper, line)) < letters / 2


def _tokens(line: str, known: dict[str, Heard | None]) -> Iterator[Heard]:
    for token in line.split():
        if token in known:
            one = known[token]
        else:
            one = heard(token)
            if len(known) < _MOST_TOKENS:
                known[token] = one
        if one is not None:
            yield one


def _resolved(tokens: Iterable[Heard]) -> Iterator[tuple[Heard, int]]:
    """Each token that is heard, with the mark after it: its own, or that of signs that follow."""
    waiting: Heard | None = None
    mark = NOTHING
    for one in tokens:
        if not one.words:
            mark = mark or one.mark
            continue
        if waiting is not None:
            yield waiting, _settled(mark, one.cases[0])
        waiting, mark = one, one.mark
    if waiting is not None:
        yield waiting, _settled(mark, CAPITAL)


def _settled(mark: int, next_case: int) -> int:
    if mark != ELLIPSIS:
        return mark
    return COMMA if next_case in (LOWER, UNKNOWN_CASE) else STOP


def _write(stream: _Stream, paths: Sequence[Path]) -> None:
    arrays: tuple[npt.NDArray[np.generic], ...] = (
        np.frombuffer(stream.numbers, dtype=np.uint32),
        np.frombuffer(stream.labels, dtype=np.uint8),
    )
    for path, values in zip(paths, arrays, strict=False):
        with replacing(path) as partial, partial.open("wb") as file:
            np.save(file, values)
    lexicon: dict[str, str] = {}
    for (word, form), count in stream.mixed.most_common():
        if count >= _LEAST_MIXED:
            lexicon.setdefault(word, form)
    facts = {"types": list(stream.types), "lexicon": lexicon}
    with replacing(paths[2]) as partial:  # last: its presence says that all are whole
        partial.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
