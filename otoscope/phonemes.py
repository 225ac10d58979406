"""The phonemes that a model's second CTC head tells apart, if it has one.

Like the alphabet, the set is data: a pronouncing dictionary of another language brings its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.errors import SpecError
from otoscope.symbols import SymbolSet


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
