"""Words beside numbers that say what the numbers are: units, months, times of day."""

from collections.abc import Collection
from typing import NamedTuple

Words = list[str]

OH = ("oh", "o")
DIGITS = {
    "oh": 0,
    "o": 0,
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
DECADES = {
    "twenties": 20,
    "thirties": 30,
    "forties": 40,
    "fifties": 50,
    "sixties": 60,
    "seventies": 70,
    "eighties": 80,
    "nineties": 90,
}
COINS = {
    "dollar": "$",
    "dollars": "$",
    "euro": "\u20ac",
    "euros": "\u20ac",
    "yen": "\u00a5",
}
"""Pounds are a weight as well."""

_MONTHS_ALONE = [
    "january",
    "february",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
MONTHS = (*_MONTHS_ALONE, "march", "may")
_CLOCK_MINUTES = ("five", "ten", "quarter", "twenty", "half")
_HOURS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


class Meridiem(NamedTuple):
    """The half of a day, "a.m." or "p.m.", and where its words end."""

    text: str
    end: int


def word_at(words: Words, place: int) -> str:
    """The word there; "" outside."""
    return words[place] if 0 <= place < len(words) else ""


def within(words: Words, breaks: Collection[int], place: int) -> Words:
    """The words with "" for those beyond the punctuation around `place`: no number joins these.

    Args:
        words: a list.
        breaks: indices of words that punctuation stands before.
        place: index of a word.
    """
    start = max((each for each in breaks if each <= place), default=0)
    end = min((each for each in breaks if each > place), default=len(words))
    return [""] * start + words[start:end] + [""] * (len(words) - end)


def meridiem(words: Words, place: int) -> Meridiem | None:
    """The half of the day that is named from `place` on: "am", "p m"; "am i" is none."""
    word, after = word_at(words, place), word_at(words, place + 1)
    if word in ("a", "p") and after == "m":
        return Meridiem(f"{word}.m.", place + 2)
    if word == "pm" or (word == "am" and after != "i"):
        return Meridiem(f"{word[0]}.m.", place + 1)
    return None


def is_day(words: Words, end: int, start: int | None = None) -> bool:
    """Whether an ordinal that ends before `end` is the day of a month.

    With `start`, where that begins: "june fifth" or "fifth of june"; march and may before it can
    be other words. Without, whether words before `end` are a month, maybe with a day.
    """
    if start is None:
        return any(word_at(words, end - back) in MONTHS for back in (1, 2, 3))
    named_after = word_at(words, end) == "of" and word_at(words, end + 1) in MONTHS
    return named_after or word_at(words, start - 1) in _MONTHS_ALONE


def before_clock_hour(words: Words, start: int, end: int) -> bool:
    """Whether a number may be a part of "ten to five", "half past ten"."""
    if word_at(words, end) in ("to", "past") and word_at(words, end + 1) in _HOURS:
        return word_at(words, end - 1) in (*_CLOCK_MINUTES, "twenty five")
    if word_at(words, start - 1) in ("to", "past") and word_at(words, end - 1) in _HOURS:
        return word_at(words, start - 2) in _CLOCK_MINUTES
    return False
