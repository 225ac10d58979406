"""Word, character and phoneme error rates, and how certain they are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import jiwer
import numpy as np
import numpy.typing as npt

_RESAMPLES = 2000

BY_SPEAKER = "speaker"
BY_UTTERANCE = "utterance"


@dataclass(frozen=True)
class ErrorCounts:
    """Errors of each utterance of a set.

    Attributes:
        errors: (utterances,) int64, substitutions, deletions and insertions.
        lengths: (utterances,) int64, of the references.
    """

    errors: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @property
    def rate(self) -> float:
        """All errors over all lengths, as a fraction; can exceed 1."""
        return float(self.errors.sum() / self.lengths.sum())


@dataclass(frozen=True)
class DevScore:
    """Errors on one dev set.

    Attributes:
        phonemes: of the phoneme head, over the utterances that have a phoneme target; None without
            the head or without such utterances.
    """

    characters: ErrorCounts
    words: ErrorCounts
    phonemes: ErrorCounts | None


@dataclass(frozen=True)
class DevScores:
    """Errors on every dev set, by its name."""

    sets: dict[str, DevScore]

    @property
    def cer(self) -> float | None:
        """Character error rate over all sets, as a fraction; None without any."""
        return pooled_rate(score.characters for score in self.sets.values())

    @property
    def per(self) -> float | None:
        """Phoneme error rate over the sets that have one."""
        return pooled_rate(score.phonemes for score in self.sets.values())

    def __str__(self) -> str:
        if self.cer is None:
            return "no dev sets"
        each = ", ".join(f"{name} {100 * s.characters.rate:.1f}" for name, s in self.sets.items())
        phonemes = "" if self.per is None else f", PER {100 * self.per:.1f} %"
        return f"dev CER {100 * self.cer:.1f} % ({each}){phonemes}"


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorCounts:
    """Count words; references must not be empty."""
    return _counts(jiwer.process_words(*pair) for pair in zip(references, hypotheses, strict=True))


def character_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorCounts:
    """Count characters, spaces among them; references must not be empty."""
    pairs = zip(references, hypotheses, strict=True)
    return _counts(jiwer.process_characters(*pair) for pair in pairs)


def confusions(references: Sequence[str], hypotheses: Sequence[str]) -> Counter[tuple[str, str]]:
    """The confusion matrix of characters.

    Returns:
        Counts by (reference, recognized), correct characters included; "" stands for no character:
        (reference, "") is a deletion, ("", recognized) an insertion.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for said, heard in zip(references, hypotheses, strict=True):
        counts.update(aligned(said, heard))
    return counts


def aligned(reference: str, hypothesis: str) -> list[tuple[str, str]]:
    """Aligned characters of both texts, (reference, recognized); "" where one has none."""
    pairs = []
    reference, hypothesis = reference.strip(), hypothesis.strip()  # as jiwer counts them
    for part in jiwer.process_characters(reference, hypothesis).alignments[0]:
        said = reference[part.ref_start_idx : part.ref_end_idx]
        heard = hypothesis[part.hyp_start_idx : part.hyp_end_idx]
        pairs += list(zip_longest(said, heard, fillvalue=""))
    return pairs


def phoneme_errors(
    references: Iterable[Sequence[str]], hypotheses: Iterable[Sequence[str]]
) -> ErrorCounts:
    """Count the names of phonemes; references must not be empty."""
    return word_errors([" ".join(r) for r in references], [" ".join(h) for h in hypotheses])


def pooled_rate(sets: Iterable[ErrorCounts | None]) -> float | None:
    """Error rate over the sets that have one, weighted by their lengths; None if none has."""
    known = [counts for counts in sets if counts is not None]
    if not known:
        return None
    return float(sum(c.errors.sum() for c in known) / sum(c.lengths.sum() for c in known))


def interval(counts: ErrorCounts, speakers: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of an error rate, whole speakers drawn with replacement.

    Utterances of one speaker are alike, so drawing utterances would promise too much (Bisani and
    Ney 2004). With few speakers the interval is wide, and rightly so. Where speakers are not known,
    or there is one alone, utterances are drawn: see `drawn_by`.
    """
    by_speaker = drawn_by(speakers) == BY_SPEAKER
    units = list(speakers) if by_speaker else [str(place) for place in range(len(speakers))]
    _, members = np.unique(np.array(units), return_inverse=True)
    errors = np.bincount(members, counts.errors)
    lengths = np.bincount(members, counts.lengths)
    drawn = np.random.default_rng(seed).integers(errors.size, size=(_RESAMPLES, errors.size))
    rates = errors[drawn].sum(axis=1) / lengths[drawn].sum(axis=1)
    low, high = np.percentile(rates, (2.5, 97.5))
    return float(low), float(high)


def drawn_by(speakers: Sequence[str]) -> str:
    """What an interval draws: `BY_SPEAKER`, or `BY_UTTERANCE` without two known speakers."""
    return BY_SPEAKER if all(speakers) and len(set(speakers)) > 1 else BY_UTTERANCE


def _counts(outputs: Iterable[jiwer.WordOutput | jiwer.CharacterOutput]) -> ErrorCounts:
    rows = [(o.substitutions + o.deletions, o.insertions, o.hits) for o in outputs]
    lost, inserted, hits = np.array(rows, dtype=np.int64).T
    return ErrorCounts(lost + inserted, lost + hits)
