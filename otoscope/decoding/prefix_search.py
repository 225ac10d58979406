"""Prefix search: the texts that most probably were said, letter by letter.

Hannun et al. 2014 ("First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs"), algorithm 1. The probabilities of all alignments of a text add up, those that end
in a blank apart from those that end in its last letter. They are kept as plain probabilities over a
common scale that moves with the frames: adding is then cheap, and what is too far behind to matter
may round to 0.

All texts of the beam move from frame to frame together, in arrays. A text is known by a 64-bit hash
of its letters, by which two ways to the same text meet again.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from otoscope.decoding.backpointers import History
from otoscope.decoding.scorers import Floats, Ints, Partials, Scorer
from otoscope.posteriors import LogProbs

Hashes = npt.NDArray[np.uint64]

_HASH_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd: 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4)
_ONE = np.uint64(1)
_LEAST_LOG_PROB = -100.0  # nothing is impossible, so that no frame leaves the beam empty
_TINY = 1e-300  # stands in for 0 under a logarithm


@dataclass(frozen=True)
class Bounds:
    """How far the search looks.

    Attributes:
        beam_width: texts kept after each frame.
        min_log_prob: symbols less probable than this in a frame are not tried there.
        beam_threshold: texts this much behind the best are dropped; both natural logs.
    """

    beam_width: int
    min_log_prob: float
    beam_threshold: float


class Found(NamedTuple):
    """The texts that were in the beam after the last frame.

    Attributes:
        origins: (texts,) rows of `history`.
        acoustic: (texts,) natural log of the probability of the alignments that were followed.
        partials: what the scorer knows of them.
        history: how they came about.
    """

    origins: Ints
    acoustic: Floats
    partials: Partials
    history: History

    def spell(self, places: Ints) -> Iterator[list[int]]:
        """Classes of the texts at `places`, one after another: most are of no interest."""
        return self.history.spell(self.origins[places])


class _Beam(NamedTuple):
    """Texts that an alignment may have spelled so far, one a place.

    Attributes:
        blank, letter: probabilities of the alignments that end in a blank, or in the last letter.
        last: the last letter's class, -1 for the empty text.
        hashes: of the letters.
        origins: the row of the `History` that adds the last letter.
        partials: what the scorer knows.
    """

    blank: Floats
    letter: Floats
    last: Ints
    hashes: Hashes
    origins: Ints
    partials: Partials

    def scores(self) -> Floats:
        """By which texts are ranked."""
        return np.log(self.blank + self.letter + _TINY) + self.partials.context

    def take(self, places: Ints, scale: float) -> "_Beam":
        return _Beam(
            self.blank.take(places) / scale,
            self.letter.take(places) / scale,
            self.last.take(places),
            self.hashes.take(places),
            self.origins.take(places),
            self.partials.take(places),
        )


def search(log_probs: LogProbs, blank: int, scorer: Scorer, bounds: Bounds) -> Found:
    """Texts that are left in the beam after the last frame, in no order.

    Args:
        log_probs: (T', V) float32 natural log.
        blank: its class.
        scorer: of what is not acoustic.
        bounds: of the search.
    """
    history, log_scale = History(), 0.0
    zero = np.zeros(1)
    beam = _Beam(
        zero + 1.0, zero, np.array([-1]), np.zeros(1, np.uint64), np.array([0]), scorer.start()
    )
    probs = np.exp(np.maximum(log_probs, _LEAST_LOG_PROB).astype(np.float64))
    worth = log_probs > bounds.min_log_prob
    worth[:, blank] = False
    for row, tried in zip(probs, worth, strict=True):
        stayed = _stay(beam, row, blank)
        labels = np.flatnonzero(tried)
        if labels.size:
            extensions = _extensions(beam, stayed, row[labels], labels, bounds.beam_threshold)
            stayed = _grow(beam, stayed, extensions, scorer, history)
        beam, scale = _prune(stayed, bounds)
        beam = beam._replace(origins=history.settle(beam.origins))
        log_scale += math.log(scale)
    acoustic = np.log(beam.blank + beam.letter + _TINY) + log_scale
    return Found(beam.origins, acoustic, beam.partials, history)


class _Extensions(NamedTuple):
    """Texts of a beam that go on: their places, with which symbols, and how probably."""

    parents: Ints
    labels: Ints
    gains: Floats

    def where(self, chosen: npt.NDArray[np.bool_]) -> "_Extensions":
        return _Extensions(self.parents[chosen], self.labels[chosen], self.gains[chosen])


def _stay(beam: _Beam, row: Floats, blank: int) -> _Beam:
    """The same texts one frame later: in a blank, or still in their last letter."""
    total = beam.blank + beam.letter
    return beam._replace(blank=total * row[blank], letter=beam.letter * row[beam.last])


def _extensions(
    beam: _Beam, stayed: _Beam, probs: Floats, labels: Ints, beam_threshold: float
) -> _Extensions:
    """What is not too far behind when each text goes on with each of `labels`."""
    gains = np.multiply.outer(beam.blank + beam.letter, probs)
    doubled, columns = np.nonzero(beam.last[:, None] == labels)  # needs a blank in between
    gains[doubled, columns] = beam.blank[doubled] * probs[columns]
    scores = np.log(gains + _TINY) + beam.partials.context[:, None]
    least = max(scores.max(), stayed.scores().max()) - beam_threshold
    parents, columns = np.nonzero(scores > least)
    return _Extensions(parents, labels[columns], gains[parents, columns])


def _grow(
    beam: _Beam, stayed: _Beam, extensions: _Extensions, scorer: Scorer, history: History
) -> _Beam:
    """`stayed` with the extensions of `beam`, each text once."""
    allowed = scorer.allows(beam.partials, extensions.parents, extensions.labels)
    longer = extensions.where(allowed)
    hashes = (beam.hashes[longer.parents] + longer.labels.astype(np.uint64) + _ONE) * _HASH_BASE
    order = np.argsort(beam.hashes)
    near = np.searchsorted(beam.hashes[order], hashes)
    places = order.take(near, mode="clip")
    known = beam.hashes[places] == hashes
    stayed.letter[places[known]] += longer.gains[known]
    new = longer.where(~known)
    return _Beam(
        np.concatenate([stayed.blank, np.zeros(new.gains.size)]),
        np.concatenate([stayed.letter, new.gains]),
        np.concatenate([stayed.last, new.labels]),
        np.concatenate([stayed.hashes, hashes[~known]]),
        np.concatenate([stayed.origins, history.add(beam.origins[new.parents], new.labels)]),
        stayed.partials.join(scorer.extend(beam.partials.take(new.parents), new.labels)),
    )


def _prune(grown: _Beam, bounds: Bounds) -> tuple[_Beam, float]:
    """The best of the texts; and the new scale."""
    scores = grown.scores()
    places = np.flatnonzero(scores >= scores.max() - bounds.beam_threshold)
    if places.size > bounds.beam_width:
        best = np.argpartition(-scores[places], bounds.beam_width - 1)[: bounds.beam_width]
        places = places[np.sort(best)]
    scale = float((grown.blank[places] + grown.letter[places]).max())
    return grown.take(places, scale), scale
