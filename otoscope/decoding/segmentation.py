"""A long recording in segments that are searched one at a time: cut where nobody speaks.

The best texts of a minute differ in a few of its words, and there are thousands of ways to choose
those; of half a minute a hundred texts hold what may have been said, and a rescorer can choose.
"""

from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np

from otoscope.clock import FrameClock
from otoscope.decoding.lexicon import space_of
from otoscope.posteriors import PhonemePosteriors, Posteriors

LEAST_S = 10.0
MOST_S = 40.0
"""A recording is long from here on: `otoscope.longform` cuts it for the model from here on, too."""


def segments(posteriors: Posteriors) -> list[Posteriors]:
    """All frames of a recording in order, LEAST_S to MOST_S at a time; the last may be shorter.

    A recording of up to MOST_S stays whole. Others are cut in the middle of the longest pause, if
    possible between words.
    """
    frame_s, frames = posteriors.clock.frame_s, posteriors.log_probs.shape[0]
    if posteriors.clock.duration_s <= MOST_S:
        return [posteriors]
    least, most = round(LEAST_S / frame_s), round(MOST_S / frame_s)
    pauses = _pauses(posteriors)
    edges = [0]
    while frames - edges[-1] > most:
        first, last = edges[-1] + least, edges[-1] + most
        within = [pause for pause in pauses if first <= pause[-1] <= last]
        edges.append(max(within)[-1] if within else last)
    return [_part(posteriors, start, stop) for start, stop in pairwise([*edges, frames])]


class Segmenter:
    """The segments of a recording whose posteriors arrive in pieces."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rest: Posteriors | None = None

    def feed(self, more: Posteriors) -> list[Posteriors]:
        """Segments that later posteriors can't change."""
        *ready, self._rest = self.finish(more)
        return ready

    def finish(self, last: Posteriors) -> list[Posteriors]:
        """The remaining segments; `last` are the last posteriors."""
        return segments(last if self._rest is None else _joined(self._rest, last))


def _joined(one: Posteriors, other: Posteriors) -> Posteriors:
    """Two pieces, one after the other, on the first one's clock."""
    phonemes = None
    if one.phonemes is not None and other.phonemes is not None:
        both = np.concatenate((one.phonemes.log_probs, other.phonemes.log_probs))
        phonemes = PhonemePosteriors(both, one.phonemes.phonemes)
    return Posteriors(
        np.concatenate((one.log_probs, other.log_probs)),
        one.alphabet,
        FrameClock(one.clock.frame_s, one.clock.duration_s + other.clock.duration_s),
        phonemes,
    )


def part_of(posteriors: Posteriors, start: int) -> Posteriors:
    """The frames from `start` to the end, as a recording of their own."""
    if start == 0:
        return posteriors
    part = _part(posteriors, start, posteriors.log_probs.shape[0])
    left_s = posteriors.clock.duration_s - start * posteriors.clock.frame_s
    return replace(part, clock=FrameClock(posteriors.clock.frame_s, left_s))


def _pauses(posteriors: Posteriors) -> list[tuple[bool, int, int]]:
    """Runs of frames without a character: is a space in it, how long, and its middle frame."""
    blank, space = posteriors.alphabet.blank_index, space_of(posteriors.alphabet)
    best = posteriors.log_probs.argmax(axis=1)
    found, start = [], 0
    for silent, run in groupby(best.tolist(), lambda label: label in (blank, space)):
        labels = list(run)
        if silent:
            found.append((space in labels, len(labels), start + len(labels) // 2))
        start += len(labels)
    return found


def _part(posteriors: Posteriors, start: int, stop: int) -> Posteriors:
    """Frames `start` to `stop` - 1 as a recording of their own."""
    frame_s, phonemes = posteriors.clock.frame_s, posteriors.phonemes
    return Posteriors(
        np.ascontiguousarray(posteriors.log_probs[start:stop]),
        posteriors.alphabet,
        FrameClock(frame_s, (stop - start) * frame_s),
        phonemes and PhonemePosteriors(phonemes.log_probs[start:stop], phonemes.phonemes),
    )
