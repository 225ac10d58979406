"""A path of classes, one a frame, -> text, words and characters with times and confidences."""

import itertools
import math
import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from otoscope import ctc
from otoscope.posteriors import Posteriors
from otoscope.transcript import Character, Transcript, Word

_LEAST_LOG = math.log(1e-30)


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


def _words(characters: tuple[Character, ...], logs: npt.NDArray[np.float64]) -> Iterator[Word]:
    """What stands between spaces; its confidence is the geometric mean of its characters'.

    Args:
        characters: one after the other.
        logs: (characters,) of their confidences, natural.
    """
    sums = [0.0, *itertools.accumulate(logs.tolist())]
    for found in re.finditer("[^ ]+", "".join(each.character for each in characters)):
        start, stop = found.span()
        yield Word(
            found.group(),
            characters[start].start_s,
            characters[stop - 1].end_s,
            math.exp((sums[stop] - sums[start]) / (stop - start)),
        )
