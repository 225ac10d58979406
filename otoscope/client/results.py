"""Matrices as NumPy arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.posteriors import LogProbs
from otoscope.schemas import Unit


@dataclass(frozen=True, eq=False)
class Probs:
    """P(c | x_t) of a recording, or of a part.

    Attributes:
        probs: (frames, symbols) float32; rows sum to 1.
        symbols: names of the columns, the CTC blank last.
        frame_s: seconds between frames.
        start_s: the centre of the first.
        unit: what the columns are, characters or phonemes.
        warnings: what there was to say about reading the file.
    """

    probs: LogProbs
    symbols: tuple[str, ...]
    frame_s: float
    start_s: float
    unit: Unit
    warnings: tuple[str, ...] = ()

    @property
    def centers_s(self) -> npt.NDArray[np.float64]:
        """(frames,) the middle of each frame, in seconds from the start of the recording."""
        frames = np.arange(len(self.probs), dtype=np.float64)
        return np.asarray(self.start_s + self.frame_s * frames, dtype=np.float64)
