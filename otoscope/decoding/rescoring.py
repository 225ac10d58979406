"""A second opinion: how well the recognized phonemes agree with what the characters spell.

The phoneme head has learned from pronunciations, so it knows nothing of spelling and errs in other
places than the characters do. It rescores the best texts of a search, all at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from otoscope import ctc
from otoscope.arrays import Floats
from otoscope.posteriors import PhonemePosteriors, scale_posteriors
from otoscope.pronunciations import Pronunciations

_HOPELESS, _LEAST = 300.0, -1e6
"""So far behind, natural log, no text comes first; and lower is no recording of that length."""


@dataclass(frozen=True)
class PhonemeRescorer:
    """Says how probable texts are by their phonemes. Safe to share between threads.

    Attributes:
        pronunciations: of the words it can rescore.
        priors: mean posterior of each phoneme class, the blank last; None if they are not known.
        scale, prior_scale: of the phonemes' posteriors, see `scale_posteriors`.
    """

    pronunciations: Pronunciations
    priors: Sequence[float] | None = None
    scale: float = 1.0
    prior_scale: float = 0.0

    def log_probs(
        self, posteriors: PhonemePosteriors, texts: Sequence[str], characters: Floats
    ) -> Floats:
        """Natural log P(phonemes of the text | sound) of each text, (texts,) float64.

        A text with a word that has no pronunciation is as far behind the likeliest of the others as
        its characters are.

        Args:
            posteriors: of one recording.
            texts: normalised.
            characters: (texts,) natural log probabilities of their characters.
        """
        labels = [self.pronunciations.labels(text) for text in texts]
        places = [place for place, each in enumerate(labels) if each is not None]
        if not places:
            return characters
        rescored = ctc.near_log_probs(
            scale_posteriors(posteriors.log_probs, self.scale, self.priors, self.prior_scale),
            [each for each in labels if each is not None],
            posteriors.phonemes.blank_index,
        )
        # None is further behind the best than what is hopeless anyway, and so none infinite.
        rescored = np.maximum(rescored, np.maximum(rescored.max(), _LEAST) - _HOPELESS)
        best = int(characters[places].argmax())
        found: Floats = characters - characters[places[best]] + rescored[best]
        found[places] = rescored
        return found
