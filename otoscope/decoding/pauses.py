"""Long pauses, where a language model is not asked, and no word goes on.

In silence and noise a model gives a little probability to every character, frame after frame, and a
beam search with a language model adds it up to words that nobody said. Where the best path shows
nothing for long enough, nobody speaks, and the blank is made certain. Between two sounds it is a
space in one frame, if the best path has none: else a word could begin before a pause and end after.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from otoscope.decoding.lexicon import space_of
from otoscope.posteriors import Posteriors

PAUSE_S = 1.0
"""Shortest pause that is taken for one."""

MARGIN_S = 0.3
"""What stays as it is at either end, for sounds that the best path misses."""

_IMPOSSIBLE = -50.0


def with_certain_pauses(posteriors: Posteriors) -> Posteriors:
    """The same posteriors with P(blank) = 1 inside of long pauses, or in one frame P(space) = 1.

    A pause is where the best path has blanks and spaces alone.
    """
    certain = _certain_classes(posteriors)
    quiet = np.flatnonzero(certain >= 0)
    if not quiet.size:
        return posteriors
    log_probs = posteriors.log_probs.copy()
    log_probs[quiet] = _IMPOSSIBLE
    log_probs[quiet, certain[quiet]] = 0.0
    return replace(posteriors, log_probs=log_probs)


def _certain_classes(posteriors: Posteriors) -> npt.NDArray[np.int64]:
    """Classes of the frames that lie inside of long pauses, (T',) int64; -1 elsewhere."""
    alphabet, frame_s = posteriors.alphabet, posteriors.clock.frame_s
    blank, space = alphabet.blank_index, space_of(alphabet)
    best = posteriors.log_probs.argmax(axis=1)
    spoken = np.flatnonzero((best != blank) & (best != space))
    frames = len(best)
    certain = np.full(frames, -1, dtype=np.int64)
    pause, margin = round(PAUSE_S / frame_s), round(MARGIN_S / frame_s)
    edges = [-1 - margin, *spoken.tolist(), frames + margin]  # no margin at the recording's ends
    for before, after in pairwise(edges):
        if after - before <= pause:
            continue
        certain[max(0, before + 1 + margin) : max(0, after - margin)] = blank
        between = before >= 0 and after < frames
        if between and space >= 0 and space not in best[before:after]:
            certain[(before + after) // 2] = space
    return certain
