"""CTC's own arithmetic (Graves et al. 2006, "Connectionist Temporal Classification").

All functions take log_probs (frames T, classes V) in natural log, labels (N,) without blanks, and
the blank's class. Sums run in float64 over the extended label sequence of length 2N + 1: blanks
between, before and after the labels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.errors import UnalignableTextError

Labels = npt.NDArray[np.int64]  # (N,) int64
FloatArray = npt.NDArray[np.floating]
_NEVER = -np.inf
_NEARLY_NEVER = -1e9


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
    if path.size == 0:
        return []
    edges = np.flatnonzero(np.diff(path)) + 1
    starts = [0, *edges.tolist()]
    stops = [*edges.tolist(), path.size]
    return [Run(int(path[start]), start, stop) for start, stop in zip(starts, stops, strict=True)]


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
    frames = log_probs.shape[0]
    if frames == 0:
        return 0.0 if labels.size == 0 else _NEVER
    extended, may_skip = _extend(labels, blank)
    alpha = _start(log_probs, extended)
    for t in range(1, frames):
        stay, step, skip = _arrivals(alpha, may_skip)
        alpha = np.logaddexp(np.logaddexp(stay, step), skip) + log_probs[t, extended]
    return float(np.logaddexp.reduce(alpha[-2:]))


def viterbi(log_probs: FloatArray, labels: Labels, blank: int) -> Alignment:
    """The most probable path that collapses to `labels`.

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
    scores = np.maximum(log_probs, _NEARLY_NEVER)
    extended, may_skip = _extend(labels, blank)
    score = _start(scores, extended)
    origins = np.zeros((frames, extended.size), dtype=np.int8)
    for t in range(1, frames):
        arrivals = np.stack(_arrivals(score, may_skip))
        origins[t] = arrivals.argmax(axis=0)
        score = arrivals.max(axis=0) + scores[t, extended]
    last = extended.size - 1
    state = last if last == 0 or score[last] >= score[last - 1] else last - 1
    states = np.empty(frames, dtype=np.int64)
    for t in range(frames - 1, -1, -1):
        states[t] = state
        state -= int(origins[t, state])
    positions = np.where(states % 2 == 1, states // 2, -1)
    path = extended[states]
    log_prob = log_probs[np.arange(frames), path].sum(dtype=np.float64)
    return Alignment(path, positions, float(log_prob))


def _extend(labels: Labels, blank: int) -> tuple[Labels, npt.NDArray[np.bool_]]:
    """Labels with blanks around, and the states that may be entered past a blank."""
    extended = np.full(2 * labels.size + 1, blank, dtype=np.int64)
    extended[1::2] = labels
    may_skip = np.zeros(extended.size, dtype=np.bool_)
    may_skip[3::2] = labels[1:] != labels[:-1]
    return extended, may_skip


def _start(log_probs: FloatArray, extended: Labels) -> npt.NDArray[np.float64]:
    """Scores of the states at the first frame: a path begins with a blank or the first label."""
    alpha = np.full(extended.size, _NEVER, dtype=np.float64)
    alpha[:2] = log_probs[0, extended[:2]]
    return alpha


def _arrivals(
    score: npt.NDArray[np.float64], may_skip: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], ...]:
    """Scores of each state's predecessors: itself, the one before, the one before that."""
    step = np.full_like(score, _NEVER)
    step[1:] = score[:-1]
    skip = np.full_like(score, _NEVER)
    skip[2:] = np.where(may_skip[2:], score[:-2], _NEVER)
    return score, step, skip
