"""Written tokens -> heard words, with their case and what follows them."""

import re
from typing import NamedTuple

from otoscope.errors import TextError
from otoscope.spoken import spoken
from otoscope.vocabulary import ENGLISH
from otoscope.written.spec import CASES, MARKS

LOWER, CAPITAL, UPPER, MIXED = range(len(CASES))
NOTHING, COMMA, STOP, QUESTION, EXCLAMATION = range(len(MARKS))
UNKNOWN_CASE = len(CASES)
"""Of words that stand for digits and signs: nothing is learned of their case."""

ELLIPSIS = len(MARKS)
"""A full stop if a capital follows, else a comma; told where the next token is known."""

_ENDS = {".": STOP, "?": QUESTION, "!": EXCLAMATION, ",": COMMA, ";": COMMA, ":": COMMA}
_CLOSING = ".?!,;:\u2026\"'\u201d\u2019)]}"
_OPENING = "\"'\u201c\u2018([{"
_PARTS = re.compile(r"[-/\u2010\u2011]+")
_INITIALS = re.compile(r"(?:[A-Z]\.)+")
_ABBREVIATIONS = {
    "Mr": "mister",
    "Mrs": "missus",
    "Dr": "doctor",
    "St": "saint",
    "Prof": "professor",
    "Capt": "captain",
    "Col": "colonel",
    "Gen": "general",
    "Messrs": "messieurs",
}


class Heard(NamedTuple):
    """What is heard of a written token.

    Attributes:
        words: in the alphabet's symbols; none if it is punctuation alone.
        cases: of each word, places in CASES, or UNKNOWN_CASE.
        mark: after the last word, a place in MARKS, or ELLIPSIS.
        form: how it is written, without punctuation around it.
    """

    words: tuple[str, ...]
    cases: tuple[int, ...]
    mark: int
    form: str


def heard(token: str) -> Heard | None:
    """Read a token, which holds no white space; None if it can't be said."""
    start = token.lstrip(_OPENING)
    core = start.rstrip(_CLOSING)
    after = start[len(core) :]
    mark = _mark(after)
    if after.startswith(".") and core != "I" and _INITIALS.fullmatch(f"{core}."):
        letters = tuple(core.replace(".", "").lower())
        return Heard(letters, (CAPITAL,) * len(letters), NOTHING, core)
    if core in _ABBREVIATIONS:
        mark = NOTHING if mark == STOP else mark
        return Heard((_ABBREVIATIONS[core],), (MIXED,), mark, f"{core}.")
    try:
        words = tuple(spoken(core, ENGLISH).text.split()) if core else ()
    except TextError:
        return None
    if core and not words:
        return None
    return Heard(words, _cases(core, len(words)), mark, core)


def _mark(after: str) -> int:
    if "\u2026" in after or ".." in after:
        return ELLIPSIS
    return next((_ENDS[character] for character in after if character in _ENDS), NOTHING)


def _cases(core: str, words: int) -> tuple[int, ...]:
    if not all(character.isalpha() or character in "'\u2019.-/\u2010\u2011" for character in core):
        return (UNKNOWN_CASE,) * words
    parts = [part for part in _PARTS.split(core) if part]
    if len(parts) == words:
        return tuple(map(_case, parts))
    return (_case(core),) * words


def _case(word: str) -> int:
    letters = "".join(filter(str.isalpha, word))
    if letters.islower():
        return LOWER
    if letters[:1].isupper() and (len(letters) == 1 or letters[1:].islower()):
        return CAPITAL
    return UPPER if letters.isupper() else MIXED
