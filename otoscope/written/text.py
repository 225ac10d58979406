"""Heard words -> written text, each token of which names the heard words it stands for."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from otoscope.arrays import Floats
from otoscope.transcript import Word
from otoscope.written.numbers import WrittenNumber, written_numbers
from otoscope.written.punctuator import Punctuation, Punctuator
from otoscope.written.spec import CASES, MARKS


@dataclass(frozen=True)
class WrittenToken:
    """What stands between two spaces of a written text, or more: "10:30 a.m." is one token.

    Attributes:
        text: with the punctuation that follows.
        start_word, end_word: the heard words it stands for, by their index, the end excluded.
        mark: the punctuation that follows, one of MARKS; also where the full stop of "a.m." is
            that of the sentence, too.
    """

    text: str
    start_word: int
    end_word: int
    mark: str


@dataclass(frozen=True)
class WrittenText:
    """Tokens in order; each heard word belongs to one."""

    tokens: tuple[WrittenToken, ...]

    def __str__(self) -> str:
        return " ".join(token.text for token in self.tokens)

    def timed(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """The tokens as words with marks: times and mean confidence of the words each stands for.

        Args:
            words: the heard ones.
        """
        spans = ((token, words[token.start_word : token.end_word]) for token in self.tokens)
        return tuple(
            Word(
                token.text,
                heard[0].start_s,
                heard[-1].end_s,
                fmean(word.confidence for word in heard),
                mark=token.mark,
            )
            for token, heard in spans
        )


def write(
    words: Sequence[str], punctuator: Punctuator, pauses_s: Floats | None = None
) -> WrittenText:
    """Case, punctuation and numbers of heard words.

    Args:
        words: in the alphabet's symbols.
        punctuator: the model.
        pauses_s: (words,) seconds of silence after each word, NaN where it is not known.
    """
    punctuation = punctuator.punctuate(words, pauses_s)
    breaks = 1 + np.flatnonzero(punctuation.marks)
    found = written_numbers(list(words), set(breaks.tolist())) if _in_english(punctuator) else []
    numbers = {number.start: number for number in found}
    tokens: list[WrittenToken] = []
    place = 0
    while place < len(words):
        number = numbers.get(place) or WrittenNumber(
            place, place + 1, _cased(words[place], punctuation, place, punctuator.spec.lexicon)
        )
        mark = MARKS[punctuation.marks[number.end - 1]]
        shown = "" if mark == "." and number.text.endswith(".") else mark  # "Mr.", "a.m."
        tokens.append(WrittenToken(number.text + shown, number.start, number.end, mark))
        place = number.end
    return WrittenText(tuple(tokens))


def pauses_after(words: Sequence[Word]) -> Floats:
    """Seconds from each word's end to the next one's beginning: (words,) float64, the last NaN."""
    if not words:
        return np.zeros(0)
    gaps_s = [max(0.0, after.start_s - word.end_s) for word, after in itertools.pairwise(words)]
    return np.array([*gaps_s, np.nan])


def _in_english(punctuator: Punctuator) -> bool:
    """Whether its numbers are known: a model that does not say its language is of English."""
    return punctuator.spec.language in ("", "en")


def _cased(word: str, punctuation: Punctuation, place: int, lexicon: dict[str, str]) -> str:
    match CASES[punctuation.cases[place]]:
        case "lower":
            return word
        case "upper":
            return word.upper()
        case "mixed" if word in lexicon:
            return lexicon[word]
        case _:
            return capitalized(word)


def capitalized(word: str) -> str:
    """The first letter large: "'tis" gives "'Tis"."""
    first = next((place for place, character in enumerate(word) if character.isalpha()), 0)
    return word[:first] + word[first : first + 1].upper() + word[first + 1 :]
