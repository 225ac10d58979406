"""The probabilities that an acoustic model gives, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from otoscope.clock import FrameClock
from otoscope.errors import NoPhonemesError
from otoscope.vocabulary import Alphabet, PhonemeSet, SymbolSet

LogProbs = npt.NDArray[np.float32]  # (frames T', classes V) float32, natural log

Unit: TypeAlias = Literal["character", "phoneme"]
"""What the classes of a model's head are."""


class HeadLogProbs(NamedTuple):
    """What a model gives for one item, without padding: float32, the same frames T' in both.

    Attributes:
        characters: log P(c | x_t), (T', V), natural log.
        phonemes: log P(phoneme | x_t), (T', phoneme classes); None without a phoneme head.
    """

    characters: LogProbs
    phonemes: LogProbs | None

    def cut(self, start: int, stop: int | None) -> "HeadLogProbs":
        """A copy of frames start..stop-1."""
        phonemes = None if self.phonemes is None else self.phonemes[start:stop].copy()
        return HeadLogProbs(self.characters[start:stop].copy(), phonemes)


def joined_heads(pieces: Sequence[HeadLogProbs]) -> HeadLogProbs:
    """Pieces of one model's, one at least, behind one another."""
    phonemes = [piece.phonemes for piece in pieces if piece.phonemes is not None]
    return HeadLogProbs(
        np.concatenate([piece.characters for piece in pieces]),
        np.concatenate(phonemes) if phonemes else None,
    )


@dataclass(frozen=True)
class PhonemePosteriors:
    """log P(phoneme | x_t) for every frame of one recording.

    Attributes:
        log_probs: (frames T', classes) float32, natural log; each row's exp sums to 1.
        phonemes: what the classes mean, the blank last.
    """

    log_probs: LogProbs
    phonemes: PhonemeSet

    @property
    def probs(self) -> LogProbs:
        """P(phoneme | x_t), (frames, classes) float32."""
        return np.exp(self.log_probs)


@dataclass(frozen=True)
class Posteriors:
    """log P(c | x_t) for every frame of one recording.

    Attributes:
        log_probs: (frames T', classes V) float32, natural log; each row's exp sums to 1.
        alphabet: what the classes mean, the blank last.
        clock: when each frame was.
        phonemes: the same frames in phonemes; None if the model has no phoneme head.
    """

    log_probs: LogProbs
    alphabet: Alphabet
    clock: FrameClock
    phonemes: PhonemePosteriors | None = None

    @property
    def probs(self) -> LogProbs:
        """P(c | x_t), (frames, classes) float32."""
        return np.exp(self.log_probs)

    def head(self, unit: Unit) -> tuple[LogProbs, SymbolSet]:
        """Log-probabilities (frames, classes) of one head, and what its classes mean.

        Raises:
            NoPhonemesError: if phonemes are asked for and there are none.
        """
        if unit == "character":
            return self.log_probs, self.alphabet
        if self.phonemes is None:
            raise NoPhonemesError(
                "expected unit=character, got unit=phoneme: "
                "the model of this transcription has no phoneme head"
            )
        return self.phonemes.log_probs, self.phonemes.phonemes


def scale_posteriors(
    log_probs: LogProbs, scale: float, priors: Sequence[float] | None, prior_scale: float
) -> LogProbs:
    """Flatten posteriors, and take off what their classes' frequency alone would say.

    A decoder multiplies them with a language model, which knows better how common things are; both
    saying it would count it twice (Bourlard and Morgan 1994, "Connectionist Speech Recognition";
    for CTC, Miao et al. 2015, "EESEN", section 3.2).

    Args:
        log_probs: (T', V) float32, natural log.
        scale: of the log posteriors; below 1 flattens them.
        priors: mean posterior of each of the V classes, the blank last; None if they are not known.
        prior_scale: of the log priors.

    Returns:
        (T', V) float32, natural log, each frame summing to 1 again.
    """
    offsets = np.zeros(log_probs.shape[1])
    if priors is not None:
        offsets = prior_scale * np.log(np.array(priors, dtype=np.float64))
    if scale == 1.0 and not offsets.any():
        return log_probs
    scaled = scale * log_probs - offsets
    scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
    return scaled.astype(np.float32)
