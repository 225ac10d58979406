"""A second opinion: how well the phonemes that were heard agree with what the letters spell.

The phoneme head has learned from pronunciations, so it knows nothing of spelling and errs in other
places than the letters do. It judges the best texts of a search, all at once.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from otoscope import ctc
from otoscope.decoding.scaling import Evidence
from otoscope.posteriors import Posteriors
from otoscope.pronunciations import FILE_NAME, Pronunciations, read_entries
from otoscope.vocabulary import PhonemeSet

Floats = npt.NDArray[np.float64]

_HOPELESS, _LEAST = 300.0, -1e6
"""So far behind, natural log, no text comes first; and lower is no recording of that length."""


class PhonemeRescorer:
    """Says how probable texts are by their phonemes. Safe to share between threads."""

    def __init__(self, pronunciations: Pronunciations, blank: int, evidence: Evidence) -> None:
        """Take what it judges by.

        Args:
            pronunciations: of the words it can rescore.
            blank: class of the phoneme head's blank.
            evidence: what becomes of the phonemes' posteriors.
        """
        self._pronunciations = pronunciations
        self._blank = blank
        self._evidence = evidence

    def can_rescore(self, posteriors: Posteriors) -> bool:
        """Whether there are phonemes."""
        return posteriors.phonemes is not None

    def log_probs(self, posteriors: Posteriors, texts: Sequence[str], letters: Floats) -> Floats:
        """Natural log P(phonemes of the text | sound) of each text, (texts,) float64.

        A text with a word that has no pronunciation is as far behind the likeliest of the others as
        its letters are.

        Args:
            posteriors: of a recording that it can rescore.
            texts: normalised.
            letters: (texts,) natural log probabilities of their letters.
        """
        if posteriors.phonemes is None:
            raise ValueError("expected posteriors of phonemes, got none")
        labels = [self._pronunciations.labels(text) for text in texts]
        places = [place for place, each in enumerate(labels) if each is not None]
        if not places:
            return letters
        judged = _kept_near(
            ctc.near_log_probs(
                self._evidence.of(posteriors.phonemes.log_probs),
                [each for each in labels if each is not None],
                self._blank,
            )
        )
        best = int(letters[places].argmax())
        found: Floats = letters - letters[places[best]] + judged[best]
        found[places] = judged
        return found


def _kept_near(log_probs: Floats) -> Floats:
    """None further behind the best than what is hopeless anyway, and so none infinite."""
    kept: Floats = np.maximum(log_probs, np.maximum(log_probs.max(), _LEAST) - _HOPELESS)
    return kept


def open_rescorer(
    folder: Path,
    phonemes: PhonemeSet | None,
    priors: Sequence[float],
    scale: float,
    prior_scale: float,
) -> PhonemeRescorer | None:
    """The judge for a model; None if it has no phonemes, priors of them, or pronunciations.

    Args:
        folder: of the model or its language model, where the pronunciations lie.
        phonemes: of the model's phoneme head.
        priors: mean posterior of each of its classes, the blank last.
        scale: of the log posteriors, as for the letters.
        prior_scale: of the log priors, as for the letters.

    Raises:
        DictionaryError: if the pronunciations can't be read.
    """
    path = folder / FILE_NAME
    if phonemes is None or not priors or not path.is_file():
        return None
    pronunciations = Pronunciations(read_entries(path, phonemes), phonemes)
    evidence = Evidence(phonemes.size, scale, prior_scale, priors)
    return PhonemeRescorer(pronunciations, phonemes.blank_index, evidence)
