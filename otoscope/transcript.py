"""What was said: text, words and characters with their times and confidences."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from otoscope import ctc
from otoscope.posteriors import Posteriors

_LEAST_LOG = math.log(1e-30)


@dataclass(frozen=True)
class Character:
    """One symbol of the text, a space included.

    Attributes:
        start_s, end_s: the frames in which the model showed it.
        confidence: the highest posterior among those frames, 0 to 1.
    """

    character: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Word:
    """Characters between spaces.

    Attributes:
        start_s, end_s: from its first character's start to its last one's end.
        confidence: geometric mean of its characters' confidences, 0 to 1.
    """

    word: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was said in one recording.

    Attributes:
        text: the words with one space between.
        confidence: geometric mean over all characters, 0 to 1; None where there is no text.
    """

    text: str
    confidence: float | None
    words: tuple[Word, ...]
    characters: tuple[Character, ...]


def characters_by_word(characters: Iterable[Character]) -> Iterator[list[Character]]:
    """The characters of each word, in order: those between spaces."""
    word: list[Character] = []
    for character in characters:
        if character.character != " ":
            word.append(character)
        elif word:
            yield word
            word = []
    if word:
        yield word


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
    labels: ctc.Labels, posteriors: Posteriors, margin: float = math.inf
) -> Transcript:
    """A text at its best alignment.

    Args:
        labels: (N,) int64, its classes.
        posteriors: of the recording.
        margin: of `ctc.viterbi`.

    Raises:
        UnalignableTextError: if the text needs more frames than there are.
    """
    blank = posteriors.alphabet.blank_index
    return transcript_of(ctc.viterbi(posteriors.log_probs, labels, blank, margin).path, posteriors)


def _words(characters: tuple[Character, ...], logs: npt.NDArray[np.float64]) -> Iterator[Word]:
    """What stands between spaces, out of characters and the natural logs of their confidences."""
    sums = [0.0, *accumulate(logs.tolist())]
    for found in re.finditer("[^ ]+", "".join(each.character for each in characters)):
        start, stop = found.span()
        yield Word(
            found.group(),
            characters[start].start_s,
            characters[stop - 1].end_s,
            math.exp((sums[stop] - sums[start]) / (stop - start)),
        )
