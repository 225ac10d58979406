"""CTC by its definition: walk all V^T paths. Slow, and too plain to be wrong."""

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Labelling = tuple[int, ...]


def collapse(path: Sequence[int], blank: int) -> Labelling:
    """Merge repeats, then drop blanks."""
    merged = [label for label, _ in itertools.groupby(path)]
    return tuple(label for label in merged if label != blank)


def labellings(log_probs: npt.NDArray[np.floating], blank: int) -> dict[Labelling, float]:
    """The probability of each labelling that some path gives; (T, V) natural log."""
    totals: dict[Labelling, float] = defaultdict(float)
    frames, classes = log_probs.shape
    for path in itertools.product(range(classes), repeat=frames):
        totals[collapse(path, blank)] += math.exp(_log_prob(log_probs, path))
    return dict(totals)


def best_path(
    log_probs: npt.NDArray[np.floating], labels: Labelling, blank: int
) -> tuple[float, set[Labelling]]:
    """The highest log probability of a path that gives `labels`, and the paths that reach it."""
    frames, classes = log_probs.shape
    scores = {
        path: _log_prob(log_probs, path)
        for path in itertools.product(range(classes), repeat=frames)
        if collapse(path, blank) == labels
    }
    if not scores:
        return -math.inf, set()
    best = max(scores.values())
    return best, {path for path, score in scores.items() if score > best - 1e-9}


def random_log_probs(frames: int, classes: int, seed: int) -> npt.NDArray[np.float64]:
    """(frames, classes) natural log, each row's exp sums to 1."""
    logits = 2 * np.random.default_rng(seed).standard_normal((frames, classes))
    normalised: npt.NDArray[np.float64] = logits - np.logaddexp.reduce(
        logits, axis=1, keepdims=True
    )
    return normalised


def _log_prob(log_probs: npt.NDArray[np.floating], path: Sequence[int]) -> float:
    return float(sum(log_probs[t, label] for t, label in enumerate(path)))
