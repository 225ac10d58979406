"""What the output classes of a CTC head mean: symbols in order, the blank last."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from pydantic import ConfigDict

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
