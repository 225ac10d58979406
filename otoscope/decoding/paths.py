"""A path of classes, one a frame, -> text, words and characters with times and confidences."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from otoscope import ctc
from otoscope.posteriors import Posteriors
from otoscope.transcript import Character, Transcript, Word, spelled


def transcript_of(path: ctc.Labels, posteriors: Posteriors) -> Transcript:
    """Read the text off a path.

    Args:
        path: (T',) int64, the class of each frame, blanks included.
        posteriors: of the same recording.
    """
    characters = tuple(_characters(path, posteriors))
    words = tuple(_word(letters) for letters in spelled(characters))
    spoken = [c for c in characters if c.character != " "]
    return Transcript(
        text=" ".join(word.word for word in words),
        confidence=_geometric_mean(c.confidence for c in spoken) if spoken else None,
        words=words,
        characters=characters,
    )


def _characters(path: ctc.Labels, posteriors: Posteriors) -> Iterator[Character]:
    if path.size == 0:
        return
    edges = ctc.run_edges(path)
    starts, labels = edges[:-1], path[edges[:-1]]
    peaks = np.maximum.reduceat(posteriors.log_probs[np.arange(path.size), path], starts)
    edges_s = posteriors.clock.edges_s(edges)
    shown = labels != posteriors.alphabet.blank_index
    for label, start_s, end_s, confidence in zip(
        labels[shown].tolist(),
        edges_s[:-1][shown].tolist(),
        edges_s[1:][shown].tolist(),
        np.exp(np.minimum(peaks[shown], 0.0, dtype=np.float64)).tolist(),
        strict=True,
    ):
        yield Character(posteriors.alphabet.symbols[label], start_s, end_s, confidence)


def _word(letters: list[Character]) -> Word:
    return Word(
        word="".join(c.character for c in letters),
        start_s=letters[0].start_s,
        end_s=letters[-1].end_s,
        confidence=_geometric_mean(c.confidence for c in letters),
    )


def _geometric_mean(confidences: Iterable[float]) -> float:
    logs = [math.log(max(confidence, 1e-30)) for confidence in confidences]
    return math.exp(sum(logs) / len(logs))
