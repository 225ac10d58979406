"""Word and character error rates."""

from collections.abc import Sequence
from dataclasses import dataclass

import jiwer


@dataclass(frozen=True)
class ErrorRates:
    """Errors over reference length, summed over all utterances; can exceed 1.

    Attributes:
        cer, wer: as fractions.
        characters, words: in the references.
    """

    cer: float
    wer: float
    characters: int
    words: int


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
    """CER and WER of texts in the same order; references must not be empty."""
    characters = jiwer.process_characters(list(references), list(hypotheses))
    words = jiwer.process_words(list(references), list(hypotheses))
    return ErrorRates(
        cer=float(characters.cer),
        wer=float(words.wer),
        characters=sum(len(reference) for reference in references),
        words=sum(len(reference.split()) for reference in references),
    )


def pooled_cer(rates: Sequence[ErrorRates]) -> float:
    """CER over several sets, weighted by their characters."""
    return sum(r.cer * r.characters for r in rates) / sum(r.characters for r in rates)
