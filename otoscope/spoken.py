"""Texts as people write them -> texts as they are said: digits and signs in English words."""

import re
from typing import NamedTuple

from otoscope.errors import UnsupportedTextError
from otoscope.vocabulary import ENGLISH, Alphabet

_SIGNS = {
    "%": "percent",
    "&": "and",
    "@": "at",
    "+": "plus",
    "=": "equals",
    "\u00b0": "degrees",
    "\u00b0C": "degrees celsius",
    "\u00b0F": "degrees fahrenheit",
    "#": "number",
    "\u00a7": "section",
    "\u2030": "per mille",
    "\u00d7": "times",
    "\u00f7": "divided by",
    "<": "less than",
    ">": "greater than",
    "\u00bd": "one half",
    "\u00bc": "one quarter",
    "\u00be": "three quarters",
}
_COINS = {"$": "dollars", "\u20ac": "euros", "\u00a3": "pounds", "\u00a5": "yen"}
_SIGN = re.compile("\u00b0[CF]|" + "|".join(map(re.escape, {**_SIGNS, **_COINS})))
_NUMBER = re.compile(
    r"""(?P<minus>(?<!\w)[-\u2212])?
    (?P<coin>[$\u20ac\u00a3\u00a5])?
    (?: (?P<hours>\d{1,2}):(?P<minutes>[0-5]\d)(?!\d)
      | (?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<decimals>\.\d+)?
        (?P<ordinal>st|nd|rd|th\b)?(?P<decade>s\b)?
    )""",
    re.VERBOSE | re.ASCII,
)
_MOST_DIGITS = 9
"""Longer numbers, of telephones for instance, are read digit by digit."""

_YEARS = range(1100, 2100)


class Spoken(NamedTuple):
    """A text to be looked for in sound.

    Attributes:
        text: in the alphabet's symbols.
        left_out: what has no sound that is known here, as it stood there.
    """

    text: str
    left_out: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What there is to say about it."""
        if not self.left_out:
            return ()
        return (f"left out of the text, for it has no known sound: {' '.join(self.left_out):.200}",)


def spoken(text: str, alphabet: Alphabet) -> Spoken:
    """What a reader would say of a text; only for the English alphabet are words known.

    Raises:
        UnsupportedTextError: if nothing is left of it, or the alphabet is another and lacks
            characters.
    """
    if alphabet != ENGLISH:
        return Spoken(alphabet.normalize(text), ())
    words: list[str] = []
    left_out: list[str] = []
    for written in text.split():
        said = _SIGN.sub(_sign, _NUMBER.sub(_number, written))
        try:
            words.append(alphabet.normalize(said))
        except UnsupportedTextError as error:
            left_out.append(written)
            unknown = set(error.characters)
            rest = "".join(each for each in said if each not in unknown)
            words.append(alphabet.normalize(rest))
    normalized = alphabet.normalize(" ".join(words))
    if left_out and not normalized:
        alphabet.normalize(text)
    return Spoken(normalized, tuple(left_out))


def _sign(found: re.Match[str]) -> str:
    sign = found[0]
    return f" {_SIGNS.get(sign) or _COINS[sign]} "


def _number(found: re.Match[str]) -> str:
    minus = "minus " if found["minus"] else ""
    coin = f" {_COINS[found['coin']]}" if found["coin"] else ""
    said = _clock(found) if found["hours"] else _count(found, money=bool(coin))
    return f" {minus}{said}{coin} "


def _clock(found: re.Match[str]) -> str:
    hours, minutes = int(found["hours"]), int(found["minutes"])
    if minutes == 0:
        return f"{_words(hours)} o'clock"
    return f"{_words(hours)} {'oh ' if minutes < 10 else ''}{_words(minutes)}"  # noqa: PLR2004


def _count(found: re.Match[str], *, money: bool) -> str:
    digits = found["digits"].replace(",", "")
    if found["decimals"]:
        return _words(digits) + " point " + _one_by_one(found["decimals"][1:])
    if found["ordinal"]:
        return _words(digits, "ordinal")
    if len(digits) > _MOST_DIGITS or (digits[0] == "0" and len(digits) > 1):
        return _one_by_one(digits)
    year = not money and found["digits"] == digits and int(digits) in _YEARS
    said = _words(digits, "year" if year else "cardinal")
    if not found["decade"]:
        return said
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"


def _one_by_one(digits: str) -> str:
    return " ".join(map(_words, digits))


def _words(number: int | str, kind: str = "cardinal") -> str:
    from num2words import num2words  # noqa: PLC0415 - 0.1 s that most callers never need

    return str(num2words(int(number), lang="en", to=kind))
