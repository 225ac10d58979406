"""A closed list of phrases: which of them was said, if one of them was."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from otoscope import ctc
from otoscope.arrays import Floats
from otoscope.errors import EmptyTextError, TextError, UnalignableTextError
from otoscope.posteriors import Posteriors

_BATCH_STATES = 2**16
"""Of the phrases whose sums run side by side, blanks and padding included: some megabytes."""

MOST_CELLS = 250_000_000
"""Frames times characters of all phrases, and one more for each: some ten seconds of a processor.
A thousand phrases of 15 characters may be looked for in ten minutes."""

NONE_OF_THESE = ""
"""Stands for anything else, or nothing."""


@dataclass(frozen=True)
class RankedPhrase:
    """One phrase of the list.

    Attributes:
        phrase: as it was given; "" for none of them.
        log_prob: natural log P(phrase | X), summed over all alignments (Graves et al. 2006, section
            4.1); -inf if the recording is too short for it.
        probability: that it was this one, given that it was one of the list, each with the same
            prior probability.
    """

    phrase: str
    log_prob: float
    probability: float


def rank_phrases(
    posteriors: Posteriors, phrases: Sequence[str], *, or_none: bool = False
) -> list[RankedPhrase]:
    """Rank phrases by how probably each was all that was said, best first.

    Of phrases that the alphabet writes alike only the first counts.

    Args:
        posteriors: of the recording.
        phrases: the closed list.
        or_none: rank "none of these" among them, as the phrase "": the best path of any symbols,
            each as probable as any other beforehand (a garbage model).

    Raises:
        EmptyTextError: if a phrase holds no words, or there is none.
        UnsupportedTextError: if a phrase holds what the alphabet can't express.
        UnalignableTextError: if the recording is too short for all of them.
        TextError: if the recording is too long for so many of them.
    """
    alphabet = posteriors.alphabet
    spoken = {alphabet.normalize(phrase): phrase for phrase in reversed(phrases)}
    if not spoken or not all(spoken):
        raise EmptyTextError(f"expected phrases with words in them, got {list(phrases)!r:.200}")
    labels = [alphabet.encode(text) for text in spoken]
    names = list(spoken.values())
    log_probs = _log_probs(posteriors, labels)
    if not or_none and not np.isfinite(log_probs.max()):
        fewest = min(ctc.min_frames(one) for one in labels)
        raise UnalignableTextError(
            f"expected a phrase that fits {posteriors.log_probs.shape[0]} frames, "
            f"got none that needs fewer than {fewest}"
        )
    if or_none:
        names.append(NONE_OF_THESE)
        log_probs = np.append(log_probs, _garbage_log_prob(posteriors))
    shares = np.exp(log_probs - np.logaddexp.reduce(log_probs))
    ranked = [
        RankedPhrase(phrase, float(log_prob), float(share))
        for phrase, log_prob, share in zip(names, log_probs, shares, strict=True)
    ]
    return sorted(ranked, key=lambda one: -one.log_prob)


def _log_probs(posteriors: Posteriors, labels: Sequence[ctc.Labels]) -> Floats:
    """Those of all phrases, (phrases,) float64; -inf where the recording is too short.

    Phrases of like length go side by side, so that little is padded and memory is bounded.
    """
    frames, blank = posteriors.log_probs.shape[0], posteriors.alphabet.blank_index
    found = np.full(len(labels), -np.inf)
    fitting = [index for index, one in enumerate(labels) if ctc.min_frames(one) <= frames]
    _check_cells(frames, sum(labels[index].size + 1 for index in fitting))
    fitting.sort(key=lambda index: labels[index].size)
    while fitting:
        states = 2 * labels[fitting[-1]].size + 1  # of the longest that is left
        batch = fitting[-max(1, _BATCH_STATES // states) :]
        del fitting[-len(batch) :]
        texts = [labels[index] for index in batch]
        found[batch] = ctc.forward_log_probs(posteriors.log_probs, texts, blank)
    return found


def _check_cells(frames: int, characters: int) -> None:
    most = MOST_CELLS // frames
    if characters > most:
        raise TextError(
            f"expected phrases of at most {most} characters together, and one more for each, for a "
            f"recording of {frames} frames, got {characters}"
        )


def _garbage_log_prob(posteriors: Posteriors) -> float:
    """Natural log of the best path of all, and of its symbols if each is drawn by chance."""
    best = posteriors.log_probs.argmax(axis=1)
    symbols = ctc.collapse(best, posteriors.alphabet.blank_index).size
    free = float(posteriors.log_probs.max(axis=1).sum(dtype=float))
    return free - symbols * math.log(len(posteriors.alphabet.symbols))
