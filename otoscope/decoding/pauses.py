"""Long pauses, where a language model is not asked.

In silence and noise a model gives a little probability to every character, frame after frame, and a
beam search with a language model adds it up to words that nobody said. Where the best path shows
nothing for long enough, nobody speaks, and the blank is made certain.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from otoscope.posteriors import Posteriors

PAUSE_S = 1.0
"""Shortest pause that is taken for one."""

MARGIN_S = 0.3
"""What stays as it is at either end, for sounds that the best path misses."""

_IMPOSSIBLE = -50.0


def with_certain_pauses(posteriors: Posteriors) -> Posteriors:
    """The same posteriors with P(blank) = 1 inside of long pauses.

    A pause is where the best path has blanks and spaces alone.
    """
    quiet = _quiet_frames(posteriors)
    if not quiet.any():
        return posteriors
    log_probs = posteriors.log_probs.copy()
    log_probs[quiet] = _IMPOSSIBLE
    log_probs[quiet, posteriors.alphabet.blank_index] = 0.0
    return replace(posteriors, log_probs=log_probs)


def _quiet_frames(posteriors: Posteriors) -> npt.NDArray[np.bool_]:
    """Which frames lie inside of long pauses, (T',) bool."""
    alphabet, frame_s = posteriors.alphabet, posteriors.clock.frame_s
    silent = [alphabet.blank_index]
    silent += [index for index, symbol in enumerate(alphabet.symbols) if symbol == " "]
    spoken = np.flatnonzero(~np.isin(posteriors.log_probs.argmax(axis=1), silent))
    frames = len(posteriors.log_probs)
    quiet = np.zeros(frames, dtype=bool)
    pause, margin = round(PAUSE_S / frame_s), round(MARGIN_S / frame_s)
    edges = [-1 - margin, *spoken.tolist(), frames + margin]  # no margin at the recording's ends
    for before, after in pairwise(edges):
        if after - before > pause:
            quiet[max(0, before + 1 + margin) : max(0, after - margin)] = True
    return quiet
