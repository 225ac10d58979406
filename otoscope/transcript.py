"""What was said: text, words and characters with their times and confidences."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from statistics import fmean
from typing import Literal, TypeAlias, TypeVar

Style: TypeAlias = Literal["written", "verbatim"]
"""Of a text: as people write, or as heard."""


@dataclass(frozen=True)
class Character:
    """One symbol of the text, a space included.

    Attributes:
        start_s, end_s: the frames in which the model showed it.
        confidence: the highest posterior among those frames, 0 to 1.
    """

    character: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Word:
    """Characters between spaces.

    Attributes:
        start_s: 0.04 s before its first character is shown, as CTC is that late, but not before
            the end of the word before.
        end_s: its last character's end.
        confidence: geometric mean of its characters' confidences, 0 to 1.
        mark: the punctuation after it, which `word` holds as well; of written text alone.
    """

    word: str
    start_s: float
    end_s: float
    confidence: float
    mark: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Transcript:
    """What was said in one recording.

    Attributes:
        text: the words with one space between.
        confidence: geometric mean over all characters, 0 to 1; None where there is no text.
    """

    text: str
    confidence: float | None
    words: tuple[Word, ...]
    characters: tuple[Character, ...]

    def part(self, start: int, stop: int) -> "Transcript":
        """Words start..stop-1, at least one, with the mean of their confidences."""
        words = self.words[start:stop]
        text = "".join(each.character for each in self.characters)
        spans = [found.span() for found in re.finditer("[^ ]+", text)][start:stop]
        return Transcript(
            " ".join(word.word for word in words),
            fmean(word.confidence for word in words),
            words,
            self.characters[spans[0][0] : spans[-1][1]],
        )


def characters_by_word(characters: Iterable[Character]) -> Iterator[list[Character]]:
    """The characters of each word, in order: those between spaces."""
    word: list[Character] = []
    for character in characters:
        if character.character != " ":
            word.append(character)
        elif word:
            yield word
            word = []
    if word:
        yield word


TimedT = TypeVar("TimedT", Word, Character)


def moved(items: Iterable[TimedT], by_s: float) -> tuple[TimedT, ...]:
    """The same with times `by_s` seconds later."""
    return tuple(
        replace(each, start_s=each.start_s + by_s, end_s=each.end_s + by_s) for each in items
    )


def joined(parts: Iterable[Transcript]) -> Transcript:
    """Consecutive transcripts as one, with a space of confidence 1 between them.

    Its confidence is the mean of theirs, weighted by their words.
    """
    first, *others = [part for part in parts if part.words] or [Transcript("", None, (), ())]
    if not others:
        return first
    said = (first, *others)
    words = tuple(chain.from_iterable(part.words for part in said))
    characters = list(first.characters)
    for part in others:
        space = Character(" ", characters[-1].end_s, part.characters[0].start_s, 1.0)
        characters += (space, *part.characters)
    return Transcript(
        " ".join(part.text for part in said),
        fmean((part.confidence or 0.0 for part in said), [len(part.words) for part in said]),
        words,
        tuple(characters),
    )


def segments_of(
    words: Sequence[Word], begins: Callable[[Word, Word, Word], bool]
) -> Iterator[Sequence[Word]]:
    """Words in a row, divided into segments.

    Args:
        words: in order.
        begins: whether the last of three words begins another segment; the others are the first
            word of the segment so far, and its last.
    """
    start = 0
    for stop in range(1, len(words)):
        if begins(words[start], words[stop - 1], words[stop]):
            yield words[start:stop]
            start = stop
    if words:
        yield words[start:]
