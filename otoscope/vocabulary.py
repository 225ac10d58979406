"""What the output classes of a CTC head mean: symbols in order, the blank last."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict

from otoscope.errors import SpecError, UnsupportedTextError
from otoscope.strict import STRICT

BLANK_NAME = "<blank>"
"""The blank's name wherever symbols are listed for people."""


@dataclass(frozen=True)
class SymbolSet:
    """Symbols in the order of a CTC head's classes.

    The blank is no symbol; it is the class after the last one (Graves et al. 2006, section 3).
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    symbols: tuple[str, ...]

    @property
    def blank_index(self) -> int:
        """Class of the CTC blank: the last."""
        return len(self.symbols)

    @property
    def size(self) -> int:
        """Number of classes V: the symbols and the blank."""
        return len(self.symbols) + 1

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for each of the V classes, in order."""
        return (*self.symbols, BLANK_NAME)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols)}


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

    def normalize(self, text: str) -> str:
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


@dataclass(frozen=True)
class PhonemeSet(SymbolSet):
    """Phonemes in the order of the phoneme head's classes, the blank last.

    Attributes:
        symbols: names without white space, all different: "AA", "AE".
    """

    def __post_init__(self) -> None:
        """Refuse names that could not be told apart in a line of them."""
        if not self.symbols:
            raise SpecError("expected at least one phoneme, got none")
        wrong = [name for name in self.symbols if name.split() != [name]]
        if wrong:
            raise SpecError(f"expected names of phonemes without white space, got {wrong}")
        if len(set(self.symbols)) != len(self.symbols):
            raise SpecError(f"expected different phonemes, got {' '.join(self.symbols)}")

    def encode(self, phonemes: Sequence[str]) -> npt.NDArray[np.int64]:
        """Names -> class indices (N,) int64.

        Raises:
            SpecError: if a name is not in the set.
        """
        try:
            return np.array([self._index[name] for name in phonemes], dtype=np.int64)
        except KeyError as error:
            raise SpecError(
                f"expected phonemes of {' '.join(self.symbols)}, got {error.args[0]!r}"
            ) from None

    def decode(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Class indices without blanks -> names."""
        return tuple(self.symbols[index] for index in indices)


# fmt: off
ARPABET = PhonemeSet((
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY",
    "F", "G", "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY",
    "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
))
# fmt: on
"""The 39 phonemes of the CMU Pronouncing Dictionary without marks of stress; the blank is 39."""
