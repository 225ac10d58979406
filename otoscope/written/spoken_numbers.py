"""Numbers among heard English words: which there are, and what kind each is.

The package text2num finds them: "three hundred and two" is 302. Here those that follow one another
are read together: as a year, a time of day, a run of digits; what could be several things is none.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from text_to_num import find_numbers

from otoscope.written.contexts import (
    COINS,
    DECADES,
    DIGITS,
    OH,
    SCALES,
    Words,
    is_day,
    meridiem,
    within,
    word_at,
)


@dataclass(frozen=True)
class SpokenNumber:
    """A number that has been found, before its surroundings are looked at.

    Attributes:
        start, end: its words, the end excluded.
        value: "3 million" is 3.
        text: in digits.
        kind: cardinal, ordinal, year, time or digits.
        scale: " million" where that word is kept.
    """

    start: int
    end: int
    value: float
    text: str
    kind: str
    scale: str = ""

    @property
    def small(self) -> bool:
        """A number that is written in words unless a unit follows."""
        return self.kind in ("cardinal", "ordinal") and self.value < 10 and not self.scale  # noqa: PLR2004


class _Token:
    """A heard word, as text2num wants it."""

    def __init__(self, word: str, *, apart: bool = False) -> None:
        self._word = word
        self._apart = apart

    def text(self) -> str:
        return self._word

    def nt_separated(self, previous: "_Token") -> bool:  # noqa: ARG002
        return self._apart

    def not_a_number_part(self) -> bool:
        return False


def spoken_numbers(words: Words, breaks: Collection[int]) -> list[SpokenNumber]:
    """Numbers with a certain meaning, in order, whether they are to be written in digits or not.

    Args:
        words: a list, lower case, without punctuation.
        breaks: indices of words that punctuation stands before; no number goes beyond these.
    """
    read = (
        _read(words, within(words, breaks, chain[0].start), chain)
        for chain in _chains(words, breaks)
    )
    return [number for number in read if number is not None]


def ends_number(words: Words, end: int) -> bool:
    """Whether a number ends before the word at `end`."""
    before = [_Token(word) for word in words[max(0, end - 3) : end]]
    return any(each.end == len(before) for each in find_numbers(before, "en", 0.0))


def _chains(words: Words, breaks: Collection[int]) -> Iterator[list[SpokenNumber]]:
    """Numbers that follow one another directly, or with an "oh" between them."""
    tokens = [
        _Token(
            "zero" if word in OH and word_at(words, place - 1) == "point" else word,
            apart=place in breaks,
        )
        for place, word in enumerate(words)
    ]
    chain: list[SpokenNumber] = []
    for each in find_numbers(tokens, "en", 0.0):
        kind = "ordinal" if each.is_ordinal else "cardinal"
        number = SpokenNumber(each.start, each.end, each.value, each.text, kind)
        between = range(chain[-1].end if chain else number.start, number.start)
        joined = all(words[place] in OH and place not in breaks for place in between)
        if chain and (chain[-1].kind == "ordinal" or not joined or number.start in breaks):
            yield chain
            chain = []
        chain.append(number)
    if chain:
        yield chain


def _read(words: Words, near: Words, chain: Sequence[SpokenNumber]) -> SpokenNumber | None:
    """What a chain means, which may take in words that are `near`; None if nothing certain."""
    start, end = chain[0].start, chain[-1].end
    while start and near[start - 1] in OH:
        start -= 1
    said = near[start:end]
    if len(said) > 2 and all(word in DIGITS for word in said):  # noqa: PLR2004
        return _digits(start, said)
    if len(chain) == 1:
        return _single(near, chain[0])
    if len(chain) > 2:  # noqa: PLR2004
        return None
    first, second = chain
    if second.text in ("1000000", "1000000000") and "." in first.text:
        scale = f" {near[second.start]}"
        return replace(first, end=second.end, text=first.text + scale, scale=scale)
    return _time(near, first, second) or _year(words, first, second)


def _digits(start: int, said: Words) -> SpokenNumber | None:
    values = [DIGITS[word] for word in said]
    steps = {after - before for before, after in pairwise(values)}
    if steps in ({1}, {-1}):  # someone counts
        return None
    text = "".join(map(str, values))
    return SpokenNumber(start, start + len(said), float(text), text, "digits")


def _single(words: Words, number: SpokenNumber) -> SpokenNumber | None:
    said = words[number.start : number.end]
    before, after = word_at(words, number.start - 1), word_at(words, number.end)
    if {before, after} & {"point", *OH} or not _well_formed(said):
        return None
    if after in DECADES and number.value in range(11, 21):
        text = f"{number.value:.0f}{DECADES[after]}s"
        return replace(number, end=number.end + 1, text=text, kind="year")
    if said[0] in SCALES:  # "a hundred and one", but neither "hundred" nor "a hundred"
        if before != "a" or len(said) == 1:
            return None
        number = replace(number, start=number.start - 1)
    if number.kind == "ordinal":
        plural_or_part = number.text.endswith("s") or said[-1].removesuffix("th") in SCALES
        return None if plural_or_part else number
    return number if "." in number.text else _cardinal(number, said)


def _well_formed(said: Words) -> bool:
    """Neither "hundreds" nor "twenty and five"."""
    return not any(word[:-1] in SCALES for word in said) and not any(
        word == "and" and last not in SCALES for last, word in pairwise(said)
    )


def _cardinal(number: SpokenNumber, said: Words) -> SpokenNumber | None:
    value = int(number.value)
    if number.text != str(value):  # "zero seven"
        return None
    last = said[-1]
    if len(said) > 1 and last in ("million", "billion") and value // SCALES[last] < 1000:  # noqa: PLR2004
        share = value // SCALES[last]
        if share * SCALES[last] == value:
            return replace(number, value=share, text=f"{share} {last}", scale=f" {last}")
    like_a_year = "thousand" not in said or value in range(2000, 2100)
    text = str(value) if value < 10_000 and like_a_year else f"{value:,}"  # noqa: PLR2004
    return replace(number, text=text)


def _two_digits(words: Words, first: SpokenNumber, second: SpokenNumber) -> str | None:
    """The second half of a year or time: "05" or "84"."""
    if second.end - second.start > 2 or second.kind != "cardinal":  # noqa: PLR2004
        return None
    if first.end < second.start or words[second.start] in OH:  # "oh"
        return f"0{second.value:.0f}" if second.value in range(1, 10) else None
    return f"{second.value:.0f}" if second.value in range(10, 100) else None


def _time(words: Words, first: SpokenNumber, second: SpokenNumber) -> SpokenNumber | None:
    minutes = _two_digits(words, first, second)
    if minutes is None or minutes > "59" or first.value not in range(1, 13):
        return None
    after = word_at(words, second.end)
    clear = word_at(words, first.start - 1) == "at" and after not in COINS
    if not clear and meridiem(words, second.end) is None:
        return None
    text = f"{first.value:.0f}:{minutes}"
    return SpokenNumber(first.start, second.end, first.value, text, "time")


def _year(words: Words, first: SpokenNumber, second: SpokenNumber) -> SpokenNumber | None:
    rest = _two_digits(words, first, second)
    if rest is None or first.end - first.start != 1 or first.value not in range(11, 21):
        return None
    dated = word_at(words, first.start - 1) in ("in", "since", "until", "year", "before", "after")
    dated = dated or is_day(words, first.start)
    century, round_number = int(first.value), rest.endswith("0")
    sure = dated or (century > 12 and not round_number) or century in range(16, 20)  # noqa: PLR2004
    if century == 20 and int(rest) > 29:  # noqa: PLR2004 - "twenty thirty years ago"
        sure = dated
    text = f"{century}{rest}"
    return SpokenNumber(first.start, second.end, float(text), text, "year") if sure else None
