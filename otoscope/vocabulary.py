"""What the classes of a CTC head mean: characters or phonemes in order, the blank last."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from otoscope.arrays import Ints
from otoscope.errors import OtoscopeError, SpecError, UnsupportedTextError
from otoscope.strict_json import Strict

BLANK_NAME = "<blank>"
"""The blank's name wherever symbols are listed for people."""

_SPOKEN_SIGNS = "&%@#\u00a7\u2030"
"""Punctuation to Unicode, words to a reader."""

_APOSTROPHES = "\u2019\u02bc\uff07\u00b4`"


@dataclass(frozen=True)
class SymbolSet(Strict):
    """Symbols in the order of a CTC head's classes.

    The blank is no symbol; it is the class after the last one (Graves et al. 2006, section 3).
    """

    _NOUN: ClassVar[str]
    _PATTERN: ClassVar[str]  # of every symbol
    _FORM: ClassVar[str]  # the same in words
    _UNKNOWN: ClassVar[type[OtoscopeError]]  # for what is not in the set

    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.symbols:
            raise SpecError(f"expected at least one {self._NOUN}, got none")
        wrong = [symbol for symbol in self.symbols if not re.fullmatch(self._PATTERN, symbol)]
        if wrong:
            raise SpecError(f"expected {self._NOUN}s {self._FORM}, got {wrong}")
        if len(set(self.symbols)) != len(self.symbols):
            raise SpecError(f"expected different {self._NOUN}s, got {self._listed}")

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

    def encode(self, symbols: Iterable[str]) -> Ints:
        """Symbols, such as the characters of a normalised text -> class indices (N,) int64.

        Raises:
            UnsupportedTextError: if a character is not in the alphabet.
            SpecError: if a phoneme is not in the set.
        """
        try:
            return np.array([self._index[symbol] for symbol in symbols], dtype=np.int64)
        except KeyError as error:
            raise self._UNKNOWN(f"expected {self._NOUN}s of {self._listed}, got {error}") from None

    @cached_property
    def _index(self) -> dict[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols)}

    @property
    def _listed(self) -> str:
        return " ".join(self.symbols)


@dataclass(frozen=True)
class Alphabet(SymbolSet):
    """Symbols of one character each, all different. A space separates words."""

    _NOUN: ClassVar[str] = "symbol"
    _PATTERN: ClassVar[str] = "(?s:.)"
    _FORM: ClassVar[str] = "of one character each"
    _UNKNOWN: ClassVar[type[OtoscopeError]] = UnsupportedTextError

    def normalize(self, text: str) -> str:
        """Write `text` with this alphabet's symbols only.

        Case folds to what the alphabet holds, dashes, slashes and white space become a space, other
        punctuation goes, accents the alphabet lacks are taken off their letters.

        Raises:
            UnsupportedTextError: for what has a sound but no symbol (digits, signs such as $, & and
                %, foreign letters), naming the characters.
        """
        text = unicodedata.normalize("NFC", text)
        forms = {character: self._write(character) for character in set(text)}
        unsupported = sorted(character for character, form in forms.items() if form is None)
        if unsupported:
            raise UnsupportedTextError(
                f"expected text in {self._listed}, got also: {' '.join(unsupported):.200} "
                "(spell numbers and signs out)",
                tuple(unsupported),
            )
        words = "".join(forms[character] or "" for character in text).split()
        between = " " if " " in self._index else ""
        return between.join(word for word in words if word.strip("'"))

    def decode(self, indices: Iterable[int]) -> str:
        """Class indices without blanks -> text, spaces as they come."""
        return "".join(map(self.symbols.__getitem__, indices))

    def folds(self, text: str) -> dict[str, str]:
        """Letters of `text` that `normalize` writes as others: without accents, "ä" as "a"."""
        letters = {one for one in unicodedata.normalize("NFC", text) if one.isalpha()}
        own = {one for one in letters if {one, one.lower(), one.upper()} & self._index.keys()}
        forms = {one: self._write(one) for one in letters - own}
        return {one: form for one, form in forms.items() if form}

    @property
    def joined(self) -> str:
        """All symbols in their order, as configurations have them."""
        return "".join(self.symbols)

    @property
    def _listed(self) -> str:
        return repr(self.joined)

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


@dataclass(frozen=True)
class PhonemeSet(SymbolSet):
    """Names of phonemes without white space, all different: "AA", "AE"."""

    _NOUN: ClassVar[str] = "phoneme"
    _PATTERN: ClassVar[str] = r"\S+"
    _FORM: ClassVar[str] = "without white space"
    _UNKNOWN: ClassVar[type[OtoscopeError]] = SpecError

    def decode(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Class indices without blanks -> names."""
        return tuple(self.symbols[index] for index in indices)


ENGLISH = Alphabet(tuple("abcdefghijklmnopqrstuvwxyz '"))
"""a-z, space and apostrophe: 28 symbols, the blank is class 28."""

# fmt: off
ARPABET = PhonemeSet((
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY",
    "F", "G", "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY",
    "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
))
# fmt: on
"""The 39 phonemes of the CMU Pronouncing Dictionary without marks of stress; the blank is 39."""
