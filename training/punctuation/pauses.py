"""Pauses after words, drawn at random: how long they are depends on what follows the word.

The figures are of read speech in round numbers. A speaker's own pace scales all pauses of a window.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from otoscope.written.spec import MARKS


class Pause(NamedTuple):
    """Log-normal durations of those pauses that are made.

    Attributes:
        share: of the words that one follows.
        median_s: of its duration.
        spread: standard deviation of the duration's natural logarithm.
    """

    share: float
    median_s: float
    spread: float


PAUSES = {
    "": Pause(0.06, 0.12, 0.6),
    ",": Pause(0.60, 0.22, 0.6),
    ".": Pause(0.92, 0.45, 0.5),
    "?": Pause(0.92, 0.45, 0.5),
    "!": Pause(0.92, 0.45, 0.5),
}
"""By what follows the word."""

_PACE_SPREAD = 0.3
_SHARES, _MEDIANS_S, _SPREADS = np.array([PAUSES[mark] for mark in MARKS]).T


def draw_pauses(marks: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Seconds of silence after each word, 0 where there is none.

    Args:
        marks: (windows, words) int64, places in MARKS.
        rng: random numbers.
    """
    pace = np.exp(_PACE_SPREAD * rng.standard_normal((len(marks), 1)))
    durations_s = (
        pace * _MEDIANS_S[marks] * np.exp(_SPREADS[marks] * rng.standard_normal(marks.shape))
    )
    return np.where(rng.random(marks.shape) < _SHARES[marks], durations_s, 0.0)
