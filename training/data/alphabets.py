"""What letters a language's texts are written with."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from otoscope.vocabulary import Alphabet

_LEAST = 3
_LEAST_SHARE = 0.0005
"""A letter has to stand in so many texts; rarer ones are those of foreign names."""

_APOSTROPHES = "'\u2019"


def propose_alphabet(texts: Iterable[str]) -> Alphabet | None:
    """The letters and marks of texts in lower case, in order, a space, and an apostrophe if used.

    Args:
        texts: as the source writes them.

    Returns:
        None if there are none in any script.
    """
    counts: Counter[str] = Counter()
    apostrophes = total = spaces = 0
    for text in texts:
        total += 1
        composed = unicodedata.normalize("NFKC", text)
        lower = {_lower(character) for character in composed}
        counts.update(one for one in lower if unicodedata.category(one)[0] in "LM")
        spaces += " " in composed.strip()
        apostrophes += _has_apostrophe(composed)
    least = min(_LEAST, total) if total < _LEAST / _LEAST_SHARE else _LEAST_SHARE * total
    letters = sorted(one for one, count in counts.items() if count >= least)
    if not letters:
        return None
    return Alphabet((*letters, *" " * (spaces > 0), *"'" * (apostrophes >= least)))


def _lower(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else character


def _has_apostrophe(text: str) -> bool:
    """Within a word, or behind one and no quotation mark, which has a partner before a word."""
    sides = [
        (text[place - 1 : place].isalpha(), text[place + 1 : place + 2].isalpha())
        for place, character in enumerate(text)
        if character in _APOSTROPHES
    ]
    return (True, True) in sides or ((True, False) in sides and (False, True) not in sides)
