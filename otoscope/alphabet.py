"""The symbols a model writes with, and the way text becomes a sequence of them.

The alphabet is data: another language is another list of symbols in a TOML file.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.errors import SpecError, UnsupportedTextError
from otoscope.symbols import BLANK_NAME, SymbolSet

__all__ = ["BLANK_NAME", "ENGLISH", "Alphabet"]

_SPOKEN_SIGNS = "&%@#\u00a7\u2030"
"""Punctuation to Unicode, words to a reader."""

_APOSTROPHES = "\u2019\u02bc\uff07\u00b4`"


@dataclass(frozen=True)
class Alphabet(SymbolSet):
    """Symbols in the order of a model's output classes, the blank last.

    Attributes:
        symbols: one character each, all different. A space separates words.
    """

    def __post_init__(self) -> None:
        """Refuse an alphabet that could not be decoded unambiguously."""
        if not self.symbols:
            raise SpecError("expected at least one symbol, got none")
        wrong = [symbol for symbol in self.symbols if len(symbol) != 1]
        if wrong:
            raise SpecError(f"expected symbols of one character each, got {wrong}")
        if len(set(self.symbols)) != len(self.symbols):
            raise SpecError(f"expected different symbols, got {''.join(self.symbols)!r}")

    def normalise(self, text: str) -> str:
        """Write `text` with this alphabet's symbols only.

        Case folds to what the alphabet holds, dashes, slashes and white space become a space, other
        punctuation goes, accents the alphabet lacks are taken off their letters.

        Raises:
            UnsupportedTextError: for what has a sound but no symbol (digits, signs such as $, & and
                %, foreign letters), naming the characters.
        """
        out: list[str] = []
        unsupported: list[str] = []
        for character in unicodedata.normalize("NFC", text):
            written = self._write(character)
            if written is None:
                unsupported.append(character)
            else:
                out.append(written)
        if unsupported:
            names = " ".join(sorted(set(unsupported)))
            raise UnsupportedTextError(
                f"expected text in {''.join(self.symbols)!r}, got also: {names} "
                "(spell numbers and signs out)"
            )
        words = "".join(out).split()
        between = " " if " " in self._index else ""
        return between.join(word for word in words if word.strip("'"))

    def encode(self, text: str) -> npt.NDArray[np.int64]:
        """Normalised `text` -> class indices (N,) int64.

        Raises:
            UnsupportedTextError: if a character is not in the alphabet.
        """
        try:
            return np.array([self._index[character] for character in text], dtype=np.int64)
        except KeyError as error:
            raise UnsupportedTextError(
                f"expected text in {''.join(self.symbols)!r}, got {error.args[0]!r}"
            ) from None

    def decode(self, indices: Iterable[int]) -> str:
        """Class indices without blanks -> text, spaces as they come."""
        return "".join(self.symbols[index] for index in indices)

    def _write(self, character: str) -> str | None:
        """How `character` is written here: symbols, nothing (""), or None if it can't be."""
        for form in (character, character.lower(), character.upper()):
            if form in self._index:
                return form
        if character in _APOSTROPHES and "'" in self._index:
            return "'"
        if character in _SPOKEN_SIGNS:
            return None
        category = unicodedata.category(character)
        if category == "Pd" or character in "/_\\" or character.isspace():
            return " "
        if category.startswith(("P", "C")) or category in ("Mn", "Sk"):
            return ""
        base = [c for c in unicodedata.normalize("NFKD", character.lower()) if c in self._index]
        return "".join(base) if character.isalpha() and base else None


ENGLISH = Alphabet(tuple("abcdefghijklmnopqrstuvwxyz '"))
"""a-z, space and apostrophe: 28 symbols, the blank is class 28."""
