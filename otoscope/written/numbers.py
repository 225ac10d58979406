"""Numbers among heard English words -> digits; what can be meant in two ways stays words.

Here is decided whether a number is written in digits at all, and with which unit: "one" and
"second" by themselves are not, nor are numbers side by side that are no year, time or run of digits
("fifty fifty").
"""

from collections.abc import Collection
from typing import NamedTuple

from otoscope.written.contexts import (
    COINS,
    Words,
    before_clock_hour,
    is_day,
    meridiem,
    within,
    word_at,
)
from otoscope.written.spoken_numbers import SpokenNumber, ends_number, spoken_numbers


class WrittenNumber(NamedTuple):
    """Digits for some heard words.

    Attributes:
        start, end: the words' indices, the end excluded.
        text: "1984", "$5.50", "10:30 a.m."
    """

    start: int
    end: int
    text: str


def written_numbers(words: Words, breaks: Collection[int] = ()) -> list[WrittenNumber]:
    """The numbers among heard words that are written in digits.

    Args:
        words: a list, lower case, without punctuation.
        breaks: indices of words that punctuation stands before; no number goes beyond these.

    Returns:
        In order, without overlaps; the words beside them stay as they are.
    """
    numbers = spoken_numbers(words, breaks)
    found: list[WrittenNumber] = []
    for index, number in enumerate(numbers):
        if found and number.start < found[-1].end:
            continue  # the cents of a sum of money
        following = numbers[index + 1] if index + 1 < len(numbers) else None
        neighbours = (numbers[index - 1] if index else None, following)
        near = within(words, breaks, number.start)
        one = _with_unit(near, number, following) or _alone(words, near, number, neighbours)
        if one is not None:
            found.append(one)
    return found


def _with_unit(
    words: Words, number: SpokenNumber, following: SpokenNumber | None
) -> WrittenNumber | None:
    """Money, percentages and times of day."""
    after = word_at(words, number.end)
    if number.kind == "time" or (number.kind == "cardinal" and number.value in range(1, 13)):
        if (found := meridiem(words, number.end)) is not None:
            return WrittenNumber(number.start, found.end, f"{number.text} {found.text}")
        if after == "o'clock":
            return WrittenNumber(number.start, number.end + 1, f"{number.text} o'clock")
    if number.kind in ("ordinal", "time"):
        return None
    if after in COINS:
        return _money(words, number, COINS[after], following)
    percent = 1 if after == "percent" else 2 if words[number.end :][:2] == ["per", "cent"] else 0
    if not percent:
        return None
    return _signed(words, number, number.end + percent, f"{number.text}%")


def _money(
    words: Words, number: SpokenNumber, sign: str, following: SpokenNumber | None
) -> WrittenNumber:
    whole = number.text
    if not number.scale and "." not in whole:
        whole = f"{number.value:,.0f}"
    end = number.end + 1
    joined = words[end] == "and" if end < len(words) else False
    cents_at = end + joined
    if (
        following is not None
        and following.start == cents_at
        and word_at(words, following.end) in ("cents", "cent")
        and following.value in range(1, 100)
        and not number.scale
        and "." not in whole
    ):
        text = f"{sign}{whole}.{following.value:02.0f}"
        return WrittenNumber(number.start, following.end + 1, text)
    return WrittenNumber(number.start, end, f"{sign}{whole}")


def _signed(words: Words, number: SpokenNumber, end: int, text: str) -> WrittenNumber:
    """With the "minus" before it, unless that subtracts."""
    before = number.start - 1
    if word_at(words, before) == "minus" and not ends_number(words, before):
        return WrittenNumber(before, end, f"-{text}")
    return WrittenNumber(number.start, end, text)


def _alone(
    words: Words,
    near: Words,
    number: SpokenNumber,
    neighbours: tuple[SpokenNumber | None, SpokenNumber | None],
) -> WrittenNumber | None:
    """A number without a unit; None if it stays words. Only a sign that is `near` belongs to it."""
    if number.kind == "ordinal":
        if is_day(words, number.end, number.start) or (
            not number.small and words[number.end - 1] != "second"
        ):
            return WrittenNumber(number.start, number.end, number.text)
        following = word_at(words, number.end)
        sure = following in ("of", "century") and not number.small
        return WrittenNumber(number.start, number.end, number.text) if sure else None
    minus = word_at(near, number.start - 1) == "minus"
    if number.kind == "cardinal" and (
        before_clock_hour(words, number.start, number.end)
        or (number.small and "." not in number.text and not minus)
        or (_low(number) and any(_beside(words, number, each) for each in neighbours))
    ):
        return None
    return _signed(near, number, number.end, number.text)


def _low(number: SpokenNumber) -> bool:
    return number.value <= 12 and not number.scale and "." not in number.text  # noqa: PLR2004


def _beside(words: Words, number: SpokenNumber, other: SpokenNumber | None) -> bool:
    """Whether a small number and this one are named together: "nine or ten"."""
    if other is None or not other.small:
        return False
    first, second = sorted((number, other), key=lambda each: each.start)
    return words[first.end : second.start] in (["or"], ["to"], ["and"])
