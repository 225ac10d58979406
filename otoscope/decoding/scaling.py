"""Posteriors as evidence: flattened, and without what their classes' frequency alone would say.

A decoder multiplies them with a language model, which knows better how common things are; both
saying it would count it twice (Bourlard and Morgan 1994, "Connectionist Speech Recognition"; for
CTC, Miao et al. 2015, "EESEN", section 3.2).
"""

from collections.abc import Sequence

import numpy as np

from otoscope.errors import SpecError
from otoscope.posteriors import LogProbs


class Evidence:
    """What becomes of posteriors before they are searched."""

    def __init__(
        self, classes: int, scale: float, prior_scale: float, priors: Sequence[float] | None
    ) -> None:
        """Take the shape of it.

        Args:
            classes: V, the blank included.
            scale: of the log posteriors; below 1 flattens them.
            prior_scale: of the log priors.
            priors: mean posterior of each class, the blank last; None if they are not known.
        """
        if priors is not None and len(priors) != classes:
            raise SpecError(f"expected {classes} priors, got {len(priors)}")
        self._scale = scale
        self._offsets = (
            prior_scale * np.log(np.array(priors, dtype=np.float64))
            if priors is not None
            else np.zeros(classes)
        )

    def of(self, log_probs: LogProbs) -> LogProbs:
        """(T', V) float32 -> (T', V) float32, natural log, each frame summing to 1 again."""
        if self._scale == 1.0 and not self._offsets.any():
            return log_probs
        scaled = self._scale * log_probs - self._offsets
        scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return scaled.astype(np.float32)
