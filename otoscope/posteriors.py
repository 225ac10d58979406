"""What the acoustic model believed, frame by frame, and when each frame was."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

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


@dataclass(frozen=True)
class FrameClock:
    """Frame indices <-> seconds.

    Frame i is centred on i * frame_s and owns the time half-way to its neighbours, cut to the
    recording.
    """

    frame_s: float
    duration_s: float

    def center_s(self, frame: int) -> float:
        """The time that `frame` is about."""
        return frame * self.frame_s

    def span_s(self, start: int, stop: int) -> tuple[float, float]:
        """Start and end in seconds of the frames start..stop-1."""
        start_s, end_s = self.edges_s(np.array([start, stop])).tolist()
        return start_s, end_s

    def edges_s(self, frames: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Where each of `frames` (n,) starts, in seconds; the frame after the last, at the end."""
        edges: npt.NDArray[np.float64] = np.clip(
            (frames - 0.5) * self.frame_s, 0.0, self.duration_s
        )
        return edges

    def frame_at(self, time_s: float) -> int:
        """The frame that owns `time_s`."""
        return max(0, int(np.floor(time_s / self.frame_s + 0.5)))


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
