"""Word, character and phoneme error rates, with how sure one can be of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import jiwer
import numpy as np
import numpy.typing as npt

_RESAMPLES = 2000


@dataclass(frozen=True)
class PhonemeErrorRate:
    """Errors over reference length, summed over all utterances; can exceed 1.

    Attributes:
        per: as a fraction.
        phonemes: in the references.
    """

    per: float
    phonemes: int


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


@dataclass(frozen=True)
class Counts:
    """What happened in each utterance.

    Attributes:
        errors: (utterances,) int64, substitutions, deletions and insertions.
        lengths: (utterances,) int64, of the references.
    """

    errors: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @property
    def rate(self) -> float:
        """All errors over all lengths."""
        return float(self.errors.sum() / self.lengths.sum())


def word_counts(references: Sequence[str], hypotheses: Sequence[str]) -> Counts:
    """Word errors of each utterance; references must not be empty."""
    outputs = [jiwer.process_words(*pair) for pair in zip(references, hypotheses, strict=True)]
    lengths = [len(reference.split()) for reference in references]
    return Counts(_errors(outputs), np.array(lengths, dtype=np.int64))


def character_counts(references: Sequence[str], hypotheses: Sequence[str]) -> Counts:
    """Character errors of each utterance, spaces counted; references must not be empty."""
    outputs = [jiwer.process_characters(*pair) for pair in zip(references, hypotheses, strict=True)]
    lengths = [len(reference) for reference in references]
    return Counts(_errors(outputs), np.array(lengths, dtype=np.int64))


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
    """CER and WER of texts in the same order; references must not be empty."""
    characters = character_counts(references, hypotheses)
    words = word_counts(references, hypotheses)
    return ErrorRates(
        cer=characters.rate,
        wer=words.rate,
        characters=int(characters.lengths.sum()),
        words=int(words.lengths.sum()),
    )


def interval(counts: Counts, speakers: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of an error rate, whole speakers drawn with replacement.

    Utterances of one speaker are alike, so drawing utterances would promise too much (Bisani and
    Ney 2004). With few speakers the interval is wide, and rightly so.
    """
    _, members = np.unique(np.array(speakers), return_inverse=True)
    errors = np.bincount(members, counts.errors)
    lengths = np.bincount(members, counts.lengths)
    drawn = np.random.default_rng(seed).integers(errors.size, size=(_RESAMPLES, errors.size))
    rates = errors[drawn].sum(axis=1) / lengths[drawn].sum(axis=1)
    low, high = np.percentile(rates, (2.5, 97.5))
    return float(low), float(high)


def phoneme_error_rate(
    references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]
) -> PhonemeErrorRate:
    """PER of phoneme names in the same order; references must not be empty."""
    counts = word_counts(
        [" ".join(names) for names in references], [" ".join(names) for names in hypotheses]
    )
    return PhonemeErrorRate(counts.rate, int(counts.lengths.sum()))


def pooled_cer(rates: Sequence[ErrorRates]) -> float:
    """CER over several sets, weighted by their characters."""
    return sum(r.cer * r.characters for r in rates) / sum(r.characters for r in rates)


def pooled_per(rates: Sequence[PhonemeErrorRate | None]) -> float | None:
    """PER over the sets that have one, weighted by their phonemes; None if none has."""
    known = [rate for rate in rates if rate is not None]
    if not known:
        return None
    return sum(r.per * r.phonemes for r in known) / sum(r.phonemes for r in known)


def _errors(
    outputs: Sequence[jiwer.WordOutput | jiwer.CharacterOutput],
) -> npt.NDArray[np.int64]:
    totals = [one.substitutions + one.deletions + one.insertions for one in outputs]
    return np.array(totals, dtype=np.int64)
