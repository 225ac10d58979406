"""Prefix search: the texts that most probably were said, character by character.

Hannun et al. 2014 ("First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs"), algorithm 1. The probabilities of all alignments of a text add up, those that end
in a blank apart from those that end in its last character. They are kept as plain probabilities
over a common scale that moves with the frames: adding is then cheap, and what is too far behind to
matter may round to 0.

All texts of the beam move from frame to frame together, in arrays. A text is known by a 64-bit hash
of its characters, by which two ways to the same text meet again.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Floats, Ints
from otoscope.decoding.backpointers import Backpointers
from otoscope.decoding.lexicon import space_of
from otoscope.decoding.options import BeamOptions
from otoscope.decoding.scorers import Scorer, join, take
from otoscope.posteriors import LogProbs
from otoscope.vocabulary import Alphabet

Hashes = npt.NDArray[np.uint64]

_HASH_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd: 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4)
_ONE = np.uint64(1)
_LEAST_LOG_PROB = -100.0  # nothing is impossible, so that no frame leaves the beam empty
_TINY = 1e-300  # stands in for 0 under a logarithm


class SearchResult(NamedTuple):
    """The texts that were in the beam after the last frame.

    Attributes:
        rows: (texts,) of `backpointers`.
        acoustic: (texts,) natural log of the probability of the alignments that were followed.
        state: what the scorer knows of them.
        backpointers: how they came about.
    """

    rows: Ints
    acoustic: Floats
    state: Any
    backpointers: Backpointers

    def labels(self, places: Ints) -> Iterator[list[int]]:
        """Classes of the texts at `places`, one text after another."""
        return self.backpointers.spell(self.rows[places])


class _Beam(NamedTuple):
    """Texts that an alignment may have spelled so far, (texts,) each.

    Attributes:
        blank, character: probabilities of the alignments that end in a blank, or in the last
            character.
        last: the last character's class, -1 for the empty text.
        hashes: of the characters.
        rows: of the `Backpointers`.
        state: what the scorer knows.
    """

    blank: Floats
    character: Floats
    last: Ints
    hashes: Hashes
    rows: Ints
    state: Any

    def scores(self) -> Floats:
        """By which texts are ranked."""
        scores: Floats = np.log(self.blank + self.character + _TINY) + self.state.context
        return scores


def search(
    log_probs: LogProbs, alphabet: Alphabet, scorer: Scorer[Any], options: BeamOptions
) -> SearchResult:
    """Texts that are left in the beam after the last frame, in no order.

    No space stands at the start of a text, and none is doubled.

    Args:
        log_probs: (T', V) float32 natural log.
        alphabet: of the classes.
        scorer: of what is not acoustic.
        options: how much is kept.
    """
    blank, space = alphabet.blank_index, space_of(alphabet)
    backpointers, log_scale, zero = Backpointers(), 0.0, np.zeros(1)
    beam = _Beam(
        zero + 1.0, zero, np.array([-1]), np.zeros(1, np.uint64), np.array([0]), scorer.start()
    )
    probs = np.exp(np.maximum(log_probs, _LEAST_LOG_PROB).astype(np.float64))
    candidates = log_probs > options.min_log_prob
    candidates[:, blank] = False
    for row, candidate in zip(probs, candidates, strict=True):
        labels = np.flatnonzero(candidate)
        grown = _stay(beam, row, blank)
        if labels.size:
            longer = _extensions(
                beam,
                grown,
                row[labels],
                labels,
                space=space,
                beam_threshold=options.beam_threshold,
            )
            grown = _grow(beam, grown, longer, scorer, backpointers)
        beam, scale = _prune(grown, backpointers, options)
        log_scale += math.log(scale)
    acoustic = np.log(beam.blank + beam.character + _TINY) + log_scale
    return SearchResult(beam.rows, acoustic, beam.state, backpointers)


def _stay(beam: _Beam, row: Floats, blank: int) -> _Beam:
    """The same texts one frame later: in a blank, or still in their last character."""
    blank_probs = (beam.blank + beam.character) * row[blank]
    return _Beam(blank_probs, beam.character * row.take(beam.last), *beam[2:])


def _extensions(
    beam: _Beam, stayed: _Beam, probs: Floats, labels: Ints, *, space: int, beam_threshold: float
) -> tuple[Ints, Ints, Floats]:
    """What is not too far behind when each text goes on with each of `labels`.

    Returns:
        The places of the texts in the beam, with which symbols, and how probably.
    """
    gains = np.multiply.outer(beam.blank + beam.character, probs)
    doubled, columns = np.nonzero(beam.last[:, None] == labels)  # needs a blank in between
    gains[doubled, columns] = beam.blank[doubled] * probs[columns]
    scores = np.log(gains + _TINY) + beam.state.context[:, None]
    least = max(scores.max(), stayed.scores().max()) - beam_threshold
    chosen = scores > least
    for column in np.flatnonzero(labels == space):
        chosen[:, column] &= (beam.last >= 0) & (beam.last != space)
    parents, columns = np.nonzero(chosen)
    return parents, labels.take(columns), gains[parents, columns]


def _grow(
    beam: _Beam,
    stayed: _Beam,
    longer: tuple[Ints, Ints, Floats],
    scorer: Scorer[Any],
    backpointers: Backpointers,
) -> _Beam:
    """`stayed` with the extensions of `beam`'s texts, each text once."""
    parents, labels, gains = longer
    hashes = (beam.hashes.take(parents) + labels.astype(np.uint64) + _ONE) * _HASH_BASE
    order = np.argsort(beam.hashes)
    near = np.searchsorted(beam.hashes.take(order), hashes)
    places = order.take(near, mode="clip")
    known = beam.hashes.take(places) == hashes
    stayed.character[places[known]] += gains[known]
    new = np.flatnonzero(~known)
    parents, labels, gains = parents.take(new), labels.take(new), gains.take(new)
    return _Beam(
        np.concatenate((stayed.blank, np.zeros(gains.size))),
        np.concatenate((stayed.character, gains)),
        np.concatenate((stayed.last, labels)),
        np.concatenate((stayed.hashes, hashes.take(new))),
        np.concatenate((stayed.rows, backpointers.add(beam.rows.take(parents), labels))),
        join(stayed.state, scorer.extend(beam.state, parents, labels)),
    )


def _prune(grown: _Beam, backpointers: Backpointers, options: BeamOptions) -> tuple[_Beam, float]:
    """The best of the texts; and the new scale."""
    scores = grown.scores()
    places = np.flatnonzero(scores >= scores.max() - options.beam_threshold)
    if places.size > options.beam_width:
        best = np.argpartition(-scores[places], options.beam_width - 1)[: options.beam_width]
        places = places[np.sort(best)]
    if places.size < scores.size:
        grown = take(grown, places)
    scale = float((grown.blank + grown.character).max())
    blank, character, last, hashes, rows, state = grown
    rows = backpointers.prune(rows)
    return _Beam(blank / scale, character / scale, last, hashes, rows, state), scale
