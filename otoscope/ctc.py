"""CTC's own arithmetic (Graves et al. 2006, "Connectionist Temporal Classification").

All functions take log_probs (frames T, classes V) in natural log, labels (N,) without blanks, and
the blank's class. Sums run in float64 over the extended label sequence of length 2N + 1: blanks
between, before and after the labels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Bools, Floats, Ints
from otoscope.errors import UnalignableTextError

Labels = Ints  # (N,) int64
FloatArray = npt.NDArray[np.floating]
_NEVER = -np.inf
_NEARLY_NEVER = -1e9
_TINY = 1e-300
_MOST_POINTERS = 2**20


@dataclass(frozen=True)
class Run:
    """Neighbouring frames start..stop-1 of a path that show the same class."""

    label: int
    start: int
    stop: int


@dataclass(frozen=True)
class Alignment:
    """The best path through a given text.

    Attributes:
        path: (T,) int64, the class of each frame, blanks included.
        positions: (T,) int64, the label's index in the text of each frame, -1 at blanks.
        log_prob: natural log of the path's probability.
    """

    path: Labels
    positions: Labels
    log_prob: float


def runs(path: Labels) -> list[Run]:
    """Split a path (T,) into runs of equal classes, blanks too."""
    return [
        Run(int(path[start]), start, stop) for start, stop in pairwise(run_edges(path).tolist())
    ]


def run_edges(path: Labels) -> Labels:
    """The frames at which the runs of a path (T,) begin, and T: (runs + 1,) int64."""
    inner = np.flatnonzero(np.diff(path)) + 1
    return np.unique(np.concatenate(([0], inner, [path.size]))).astype(np.int64)


def collapse(path: Labels, blank: int) -> Labels:
    """Many-to-one map B (section 3.1): merge repeats, then drop blanks. (T,) -> (N,) int64."""
    return np.array([run.label for run in runs(path) if run.label != blank], dtype=np.int64)


def min_frames(labels: Labels) -> int:
    """The fewest frames that can spell `labels`: N, and a blank between equal neighbours."""
    return int(labels.size + np.count_nonzero(labels[1:] == labels[:-1]))


def forward_log_prob(log_probs: FloatArray, labels: Labels, blank: int) -> float:
    """The log of P(labels | X), summed over all paths that collapse to `labels` (section 4.1).

    Returns -inf if the frames are too few.
    """
    return float(forward_log_probs(log_probs, [labels], blank)[0])


def forward_log_probs(log_probs: FloatArray, texts: Sequence[Labels], blank: int) -> Floats:
    """`forward_log_prob` of several texts at once, (texts,) float64."""
    if log_probs.shape[0] == 0:
        return np.array([_NEVER if labels.size else 0.0 for labels in texts])
    extended, may_skip = _extend(texts, blank)
    alpha = _starts(log_probs[0], texts, extended, _NEVER)
    for frame in log_probs[1:]:
        stay, step, skip = _arrivals(alpha, may_skip)
        alpha = np.logaddexp(np.logaddexp(stay, step), skip) + frame[extended]
    ends: Floats = np.logaddexp(*_ends(alpha, texts, _NEVER))
    return ends


def near_log_probs(log_probs: FloatArray, texts: Sequence[Labels], blank: int) -> Floats:
    """`forward_log_probs` of texts that are near the most probable, several times as fast.

    It runs in probabilities over a scale for each text that moves with the frames (Rabiner 1989,
    section V.A), so what is 1e-300 times less probable than the rest at some frame may count as
    never: such a text gets -inf.
    """
    if log_probs.shape[0] == 0:
        return forward_log_probs(log_probs, texts, blank)
    extended, skips = _extend(texts, blank)
    may_skip, probs = skips.astype(np.float64), np.exp(log_probs.astype(np.float64))
    alpha = _starts(probs[0], texts, extended, 0.0)
    logs = np.zeros(len(texts))
    for frame in probs[1:]:
        arrived = alpha.copy()
        arrived[:, 1:] += alpha[:, :-1]
        arrived[:, 2:] += alpha[:, :-2] * may_skip[:, 2:]
        alpha = arrived * frame.take(extended)
        scale = np.maximum(alpha.max(axis=1), _TINY)
        alpha /= scale[:, None]
        logs += np.log(scale)
    in_blank, in_label = _ends(alpha, texts, 0.0)
    with np.errstate(divide="ignore"):
        ends: Floats = np.log(in_blank + in_label) + logs
    return ends


def viterbi(log_probs: FloatArray, labels: Labels, blank: int, beam: float = math.inf) -> Alignment:
    """The most probable path that collapses to `labels`.

    Args:
        log_probs: (T, V) natural log.
        labels: (N,) without blanks.
        blank: its class.
        beam: states this much less probable than the best one of a frame are pruned there, natural
            log. None are by default, which takes time in proportion to T * N; a long text that is
            known to be near what was said takes little more than T. If no path through the text is
            left then, it is searched again without pruning.

    Raises:
        UnalignableTextError: if T < N + repeated neighbours.
    """
    frames = log_probs.shape[0]
    needed = min_frames(labels)
    if frames < needed:
        raise UnalignableTextError(
            f"expected at least {needed} frames for {labels.size} symbols, got {frames}"
        )
    if frames == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Alignment(nothing, nothing, 0.0)
    # Impossible frames count as nearly so: an impossible text gets a path that spells it, too.
    rows = np.maximum(log_probs, _NEARLY_NEVER)
    text = _Text(*(each[0] for each in _extend([labels], blank)))
    states = _best_states(rows, text, beam)
    if states is None:
        states = _best_states(rows, text, math.inf)
    assert states is not None  # noqa: S101 - there are frames enough
    positions = np.where(states % 2 == 1, states // 2, -1)
    path = text.extended[states]
    log_prob = log_probs[np.arange(frames), path].sum(dtype=np.float64)
    return Alignment(path, positions, float(log_prob))


class _Text(NamedTuple):
    """Labels with blanks around, and the states that may be entered past a blank: (2N + 1,)."""

    extended: Labels
    may_skip: Bools


class _Front(NamedTuple):
    """Scores of the states from `first` on, natural log; all others can't be reached."""

    first: int
    scores: Floats

    def of(self, state: int) -> float:
        """A state's score."""
        index = state - self.first
        return float(self.scores[index]) if 0 <= index < self.scores.size else _NEVER


_Origins: TypeAlias = list[tuple[int, npt.NDArray[np.int8]]]
"""A frame each: from which state on, and how many states back each one's best predecessor is."""


def _best_states(log_probs: FloatArray, text: _Text, beam: float) -> Labels | None:
    """The best path's state at each frame, (T,) int64, T >= 1; None if none ends the text.

    Back pointers of all frames can take T * (2N + 1) bytes: a gigabyte for twenty minutes of
    speech. Where they may be many, scores are kept at every sqrt(T)-th frame only, and the pointers
    in between are found again on the way back: twice the work in O(sqrt(T) * N) memory (Grice,
    Hughey and Speck 1997, "Reduced space sequence alignment").
    """
    frames, last = log_probs.shape[0], text.extended.size - 1
    small = frames * text.extended.size <= _MOST_POINTERS
    blocks = range(1, frames, frames if small else math.isqrt(frames) + 1)
    front = _Front(0, log_probs[0, text.extended[:2]].astype(np.float64))
    kept: list[_Front] = []
    origins: _Origins = []
    for first in blocks:
        kept.append(front)
        origins, front = _walk(front, log_probs[first : first + blocks.step], text, beam)
    state = last if last == 0 or front.of(last) >= front.of(last - 1) else last - 1
    if front.of(state) == _NEVER:
        return None
    states = np.empty(frames, dtype=np.int64)
    states[-1] = state
    for first, start in zip(reversed(blocks), reversed(kept), strict=True):
        if first != blocks[-1]:  # whose origins are known still
            origins, _ = _walk(start, log_probs[first : first + blocks.step], text, beam)
        for t in range(len(origins) - 1, -1, -1):
            lowest, steps = origins[t]
            state -= int(steps[state - lowest])
            states[first - 1 + t] = state
    return states


def _walk(
    front: _Front, log_probs: FloatArray, text: _Text, beam: float
) -> tuple[_Origins, _Front]:
    """The best predecessors at each frame, and the front after the last.

    Args:
        front: at the frame before.
        log_probs: of the frames.
        text: to be spelled.
        beam: beyond which states are pruned.
    """
    origins = []
    for row in log_probs:
        arrivals = _predecessors(front, text)
        origins.append((front.first, arrivals.argmax(axis=0).astype(np.int8)))
        front = _advance(front, arrivals, row, text, beam)
    return origins, front


def _predecessors(front: _Front, text: _Text) -> Floats:
    """Scores of the predecessors of each state from `front.first` on, (3, states)."""
    stop = min(front.first + front.scores.size + 2, text.extended.size)
    scores = np.full(stop - front.first, _NEVER)
    scores[: front.scores.size] = front.scores
    return _arrivals(scores, text.may_skip[front.first : stop])


def _advance(front: _Front, arrivals: Floats, row: FloatArray, text: _Text, beam: float) -> _Front:
    """The front one frame later, without what is more than `beam` behind."""
    first, stop = front.first, front.first + arrivals.shape[1]
    scores = arrivals.max(axis=0) + row[text.extended[first:stop]]
    if beam == math.inf:
        return _Front(first, scores)
    near = np.flatnonzero(scores >= scores.max() - beam)
    return _Front(first + int(near[0]), scores[near[0] : near[-1] + 1])


def _extend(texts: Sequence[Labels], blank: int) -> tuple[Labels, Bools]:
    """Labels with blanks around, and the states that may be entered past a blank.

    (texts, states of the longest) each; blanks fill up the others.
    """
    extended = np.full((len(texts), 2 * max(map(len, texts)) + 1), blank, dtype=np.int64)
    may_skip = np.zeros(extended.shape, dtype=np.bool_)
    for row, skips, labels in zip(extended, may_skip, texts, strict=True):
        row[1 : 2 * labels.size : 2] = labels
        skips[3 : 2 * labels.size : 2] = labels[1:] != labels[:-1]
    return extended, may_skip


def _starts(frame: FloatArray, texts: Sequence[Labels], extended: Labels, never: float) -> Floats:
    """Scores at the first frame: paths begin in the first blank or label, and `never` elsewhere."""
    alpha = np.full(extended.shape, never)
    alpha[:, 0] = frame[extended[:, 0]]
    said = np.array([labels.size > 0 for labels in texts])
    alpha[said, 1:2] = frame[extended[said, 1:2]]
    return alpha


def _ends(alpha: Floats, texts: Sequence[Labels], never: float) -> tuple[Floats, Floats]:
    """Where paths end: in the blank after each text, and in its last label; (texts,) each.

    An empty text has no label: `never` stands there.
    """
    rows, last = np.arange(len(texts)), 2 * np.array([labels.size for labels in texts])
    return alpha[rows, last], np.where(last > 0, alpha[rows, np.maximum(last - 1, 0)], never)


def _arrivals(score: Floats, may_skip: Bools) -> Floats:
    """Scores of each state's predecessors: itself, the one before, the one before that.

    States are the last axis; the first is these three.
    """
    arrivals = np.full((3, *score.shape), _NEVER)
    arrivals[0] = score
    arrivals[1, ..., 1:] = score[..., :-1]
    arrivals[2, ..., 2:] = np.where(may_skip[..., 2:], score[..., :-2], _NEVER)
    return arrivals
