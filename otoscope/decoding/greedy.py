"""Best-path decoding: the likeliest class of each frame, repeats merged, blanks dropped.

Graves et al. 2006, section 3.2. It finds the most probable path, not always the most probable text.
Other decoders' texts become transcripts by a path, too: that of their best alignment.
"""

import math
import re
from collections.abc import Iterator
from itertools import accumulate

import numpy as np

from otoscope import ctc
from otoscope.arrays import Floats
from otoscope.posteriors import Posteriors
from otoscope.transcript import Character, Transcript, Word

ONSET_LEAD_S = 0.04
"""By how much a word begins before its first character is shown, measured: docs/alignment.md."""

_LEAST_LOG = math.log(1e-30)


def greedy(posteriors: Posteriors) -> Transcript:
    """Decode one recording, with times and confidences of words and characters."""
    return transcript_of(posteriors.log_probs.argmax(axis=1).astype(np.int64), posteriors)


def transcript_of(path: ctc.Labels, posteriors: Posteriors) -> Transcript:
    """Read the text off a path.

    Args:
        path: (T',) int64, the class of each frame, blanks included.
        posteriors: of the same recording.
    """
    if path.size == 0:
        return Transcript("", None, (), ())
    edges = ctc.run_edges(path)
    starts, labels = edges[:-1], path[edges[:-1]]
    peaks = np.maximum.reduceat(posteriors.log_probs[np.arange(path.size), path], starts)
    edges_s = posteriors.clock.edges_s(edges)
    shown = labels != posteriors.alphabet.blank_index
    logs = np.clip(peaks[shown], _LEAST_LOG, 0.0, dtype=np.float64)
    characters = tuple(
        map(
            Character,
            [posteriors.alphabet.symbols[label] for label in labels[shown].tolist()],
            edges_s[:-1][shown].tolist(),
            edges_s[1:][shown].tolist(),
            np.exp(logs).tolist(),
        )
    )
    words = tuple(_words(characters, logs))
    spoken = logs[[character.character != " " for character in characters]]
    return Transcript(
        text=" ".join(word.word for word in words),
        confidence=math.exp(spoken.mean()) if spoken.size else None,
        words=words,
        characters=characters,
    )


def transcript_of_labels(
    labels: ctc.Labels, posteriors: Posteriors, beam: float = math.inf
) -> Transcript:
    """A text at its best alignment.

    Args:
        labels: (N,) int64, its classes.
        posteriors: of the recording.
        beam: of `ctc.viterbi`.

    Raises:
        UnalignableTextError: if the text needs more frames than there are.
    """
    blank = posteriors.alphabet.blank_index
    return transcript_of(ctc.viterbi(posteriors.log_probs, labels, blank, beam).path, posteriors)


def _words(characters: tuple[Character, ...], logs: Floats) -> Iterator[Word]:
    """What stands between spaces, out of characters and the natural logs of their confidences."""
    sums, before_s = [0.0, *accumulate(logs.tolist())], 0.0
    for found in re.finditer("[^ ]+", "".join(each.character for each in characters)):
        start, stop = found.span()
        start_s, end_s = characters[start].start_s, characters[stop - 1].end_s
        yield Word(
            found.group(),
            max(before_s, start_s - ONSET_LEAD_S),
            end_s,
            math.exp((sums[stop] - sums[start]) / (stop - start)),
        )
        before_s = end_s
