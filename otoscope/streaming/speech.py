"""Where somebody speaks, seen from the posteriors: frames with a character, and pauses between.

A network trained with CTC shows a character in a frame or two and the blank in between, so a single
frame says little; what counts is how long no character comes.
"""

from itertools import pairwise

import numpy as np

from otoscope.arrays import Ints
from otoscope.posteriors import LogProbs
from otoscope.vocabulary import Alphabet


def spoken_frames(log_probs: LogProbs, alphabet: Alphabet, probability: float) -> Ints:
    """The frames (n,) in which something is said.

    Args:
        log_probs: (T', V) natural log.
        alphabet: of the classes.
        probability: that all characters but the space together have there at least.
    """
    silent = [alphabet.blank_index]
    silent += [index for index, symbol in enumerate(alphabet.symbols) if symbol == " "]
    silence = np.exp(log_probs[:, silent]).sum(axis=1)
    return np.flatnonzero(silence <= 1.0 - probability)


def first_pause(spoken: Ints, stop: int, shortest: float) -> int | None:
    """The last spoken frame before the first pause of at least `shortest` frames.

    Args:
        spoken: frames in order, one at least.
        stop: the frame behind the last that was heard.
        shortest: in frames.
    """
    edges = pairwise([*spoken.tolist(), stop])
    return next((one for one, other in edges if other - one - 1 >= shortest), None)


def longest_pause(spoken: Ints, start: int, stop: int) -> int:
    """The middle of the longest pause in the frames start..stop-1."""
    inside: list[int] = spoken[(spoken >= start) & (spoken < stop)].tolist()
    edges = [start - 1, *inside, stop]
    one, other = max(pairwise(edges), key=lambda pair: pair[1] - pair[0])
    return (one + 1 + other) // 2
