"""otoscope.ctc against a brute-force oracle, which is itself tested on cases done by hand."""

import itertools
import math
import tracemalloc

import ctc_oracle
import numpy as np
import pytest
from ctc_oracle import random_log_probs
from hypothesis import given, settings
from hypothesis import strategies as st

from otoscope import ctc
from otoscope.errors import UnalignableTextError

A, B, BLANK = 0, 1, 2


def labels_of(*labels):
    return np.array(labels, dtype=np.int64)


@st.composite
def cases(draw):
    """Small (log_probs, blank); the blank may be any class."""
    classes = draw(st.integers(2, 4))
    frames = draw(st.integers(0, {2: 7, 3: 6, 4: 4}[classes]))
    blank = draw(st.integers(0, classes - 1))
    return random_log_probs(frames, classes, draw(st.integers(0, 10**6))), blank


# The oracle, by hand.


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ((), ()),
        ((BLANK, BLANK), ()),
        ((A,), (A,)),
        ((A, A, A), (A,)),
        ((A, BLANK, A), (A, A)),
        ((BLANK, A, A, BLANK, BLANK, B, B, A), (A, B, A)),
    ],
)
def test_oracle_and_library_collapse_by_hand(path, labels):
    assert ctc_oracle.collapse(path, BLANK) == labels
    collapsed = ctc.collapse(labels_of(*path), BLANK)
    assert tuple(collapsed) == labels
    assert collapsed.dtype == np.int64


def test_oracle_by_hand():
    """Two frames, one letter: P("") = .6 * .2, P("a") = the other three paths, no "aa"."""
    log_probs = np.log([[0.4, 0.6], [0.8, 0.2]])
    found = ctc_oracle.labellings(log_probs, blank=1)
    assert found == pytest.approx({(): 0.12, (A,): 0.4 * 0.8 + 0.4 * 0.2 + 0.6 * 0.8})
    best, paths = ctc_oracle.best_path(log_probs, (A,), blank=1)
    assert best == pytest.approx(math.log(0.48))
    assert paths == {(1, A)}
    assert ctc_oracle.best_path(log_probs, (A, A), blank=1) == (-math.inf, set())


def test_oracle_gives_a_repeat_its_only_path():
    log_probs = np.log([[0.4, 0.6], [0.8, 0.2], [0.5, 0.5]])
    assert ctc_oracle.labellings(log_probs, blank=1)[(A, A)] == pytest.approx(0.4 * 0.2 * 0.5)


# The library against the oracle.


@given(cases())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_forward_equals_the_sum_over_paths(case):
    log_probs, blank = case
    expected = ctc_oracle.labellings(log_probs, blank)
    for labelling, probability in expected.items():
        found = ctc.forward_log_prob(log_probs, labels_of(*labelling), blank)
        assert math.exp(found) == pytest.approx(probability, rel=1e-9)


@given(cases())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_probabilities_of_all_labellings_sum_to_one(case):
    log_probs, blank = case
    frames, classes = log_probs.shape
    symbols = [label for label in range(classes) if label != blank]
    log_sum = -math.inf
    for count in range(frames + 1):
        for labelling in itertools.product(symbols, repeat=count):
            found = ctc.forward_log_prob(log_probs, labels_of(*labelling), blank)
            log_sum = float(np.logaddexp(log_sum, found))
    assert log_sum == pytest.approx(0.0, abs=1e-9)


@given(cases())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_viterbi_finds_the_best_path(case):
    log_probs, blank = case
    for labelling in ctc_oracle.labellings(log_probs, blank):
        best, paths = ctc_oracle.best_path(log_probs, labelling, blank)
        found = ctc.viterbi(log_probs, labels_of(*labelling), blank)
        assert found.log_prob == pytest.approx(best, abs=1e-9)
        assert tuple(found.path) in paths


@pytest.mark.parametrize("seed", range(10))
def test_positions_say_which_label_each_frame_shows(seed):
    log_probs = random_log_probs(30, 5, seed)
    labels = np.random.default_rng(seed).integers(0, 4, size=9)
    found = ctc.viterbi(log_probs, labels, blank=4)

    shown = found.positions >= 0
    np.testing.assert_array_equal(found.path[shown], labels[found.positions[shown]])
    np.testing.assert_array_equal(found.path[~shown], 4)
    assert set(found.positions[shown]) == set(range(9))
    assert (np.diff(found.positions[shown]) >= 0).all()
    np.testing.assert_array_equal(ctc.collapse(found.path, 4), labels)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_path_is_less_likely_than_the_sum_and_likelier_than_others(seed):
    log_probs = random_log_probs(40, 6, seed)
    labels = np.random.default_rng(seed).integers(0, 5, size=12)
    best = ctc.viterbi(log_probs, labels, blank=5).log_prob
    assert best < ctc.forward_log_prob(log_probs, labels, blank=5)
    nudged = random_log_probs(40, 6, seed + 100)
    other = ctc.viterbi(nudged, labels, blank=5).path
    assert log_probs[np.arange(40), other].sum() <= best


def test_float32_posteriors_are_summed_in_float64():
    log_probs = random_log_probs(2000, 29, seed=1)
    labels = np.random.default_rng(1).integers(0, 28, size=300)
    exact = ctc.forward_log_prob(log_probs, labels, blank=28)
    rounded = ctc.forward_log_prob(log_probs.astype(np.float32), labels, blank=28)
    assert rounded == pytest.approx(exact, rel=1e-6)


def test_viterbi_keeps_no_table_of_all_frames_and_states():
    log_probs = random_log_probs(1200, 29, seed=2)
    labels = np.random.default_rng(2).integers(0, 28, size=500)
    states = 2 * labels.size + 1
    tracemalloc.start()
    found = ctc.viterbi(log_probs, labels, blank=28)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(ctc.collapse(found.path, 28), labels)
    assert peak_bytes < log_probs.shape[0] * states  # one byte for each would be the least


def spoken(seed, labels, frames_each=3, slips=0.1):
    """Posteriors that show `labels` one after the other, some of them mistaken for another."""
    generator = np.random.default_rng(seed)
    shown = np.where(
        generator.random(labels.size) < slips, generator.integers(0, 28, labels.size), labels
    )
    scores = generator.standard_normal((labels.size * frames_each, 29))
    scores[::frames_each, 28] -= 4
    scores[np.arange(labels.size) * frames_each, shown] += 8
    scores[1::frames_each, 28] += 8
    scores[2::frames_each, 28] += 8
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_pruning_changes_nothing_where_the_text_is_near_what_was_said(seed):
    labels = np.random.default_rng(seed).integers(0, 28, size=400)
    log_probs = spoken(seed, labels)
    exact = ctc.viterbi(log_probs, labels, blank=28)
    found = ctc.viterbi(log_probs, labels, blank=28, beam=200.0)
    np.testing.assert_array_equal(found.path, exact.path)
    np.testing.assert_array_equal(found.positions, exact.positions)


@pytest.mark.parametrize("seed", range(5))
def test_pruning_that_loses_the_end_of_the_text_is_dropped(seed):
    log_probs = random_log_probs(60, 6, seed)
    labels = np.random.default_rng(seed).integers(0, 5, size=30)
    exact = ctc.viterbi(log_probs, labels, blank=5)
    found = ctc.viterbi(log_probs, labels, blank=5, beam=0.0)
    np.testing.assert_array_equal(found.path, exact.path)


@pytest.mark.slow
def test_pruned_a_long_text_takes_little_memory():
    labels = np.random.default_rng(4).integers(0, 28, size=5000)
    log_probs = spoken(4, labels)
    tracemalloc.start()
    ctc.viterbi(log_probs, labels, blank=28, beam=1000.0)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Without, scores are kept at 122 frames, of 10001 states.
    assert peak_bytes - log_probs.nbytes < 122 * 10001 * 8 / 2


# Edges.


def test_no_frames():
    empty = np.zeros((0, 3))
    assert ctc.forward_log_prob(empty, labels_of(), BLANK) == 0.0
    assert ctc.forward_log_prob(empty, labels_of(A), BLANK) == -math.inf
    found = ctc.viterbi(empty, labels_of(), BLANK)
    assert (found.path.size, found.positions.size, found.log_prob) == (0, 0, 0.0)
    with pytest.raises(UnalignableTextError):
        ctc.viterbi(empty, labels_of(A), BLANK)


def test_no_labels_means_blanks_throughout():
    log_probs = random_log_probs(5, 3, seed=0)
    expected = log_probs[:, BLANK].sum()
    assert ctc.forward_log_prob(log_probs, labels_of(), BLANK) == pytest.approx(expected)
    found = ctc.viterbi(log_probs, labels_of(), BLANK)
    assert found.log_prob == pytest.approx(expected)
    np.testing.assert_array_equal(found.path, [BLANK] * 5)
    np.testing.assert_array_equal(found.positions, [-1] * 5)


@pytest.mark.parametrize(
    ("labels", "needed"),
    [((), 0), ((A,), 1), ((A, B), 2), ((A, A), 3), ((A, A, A), 5), ((A, B, B, A), 5)],
)
def test_the_fewest_frames(labels, needed):
    labels = labels_of(*labels)
    assert ctc.min_frames(labels) == needed
    enough = random_log_probs(needed, 3, seed=3)
    assert math.isfinite(ctc.forward_log_prob(enough, labels, BLANK))
    np.testing.assert_array_equal(
        ctc.collapse(ctc.viterbi(enough, labels, BLANK).path, BLANK), labels
    )
    if needed == 0:
        return
    few = enough[:-1]
    assert ctc.forward_log_prob(few, labels, BLANK) == -math.inf
    with pytest.raises(UnalignableTextError, match=f"at least {needed} frames.*got {needed - 1}"):
        ctc.viterbi(few, labels, BLANK)


def test_an_impossible_text_gets_a_path_that_spells_it():
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array([[0.0, 0.5, 0.5]] * 4))
    assert ctc.forward_log_prob(log_probs, labels_of(A, B), BLANK) == -math.inf
    found = ctc.viterbi(log_probs, labels_of(A, B), BLANK)
    assert found.log_prob == -math.inf
    np.testing.assert_array_equal(ctc.collapse(found.path, BLANK), [A, B])


def test_runs():
    assert ctc.runs(labels_of()) == []
    assert ctc.runs(labels_of(A)) == [ctc.Run(A, 0, 1)]
    assert ctc.runs(labels_of(A, A, BLANK, B, B, B, A)) == [
        ctc.Run(A, 0, 2),
        ctc.Run(BLANK, 2, 3),
        ctc.Run(B, 3, 6),
        ctc.Run(A, 6, 7),
    ]


@given(cases(), st.lists(st.lists(st.integers(0, 3), max_size=5), min_size=1, max_size=4))
def test_near_log_probs_are_forward_log_probs(case, texts):
    log_probs, blank = case
    classes = [c for c in range(log_probs.shape[1]) if c != blank]
    labels = [labels_of(*(classes[c % len(classes)] for c in text)) for text in texts]
    expected = ctc.forward_log_probs(log_probs, labels, blank)
    np.testing.assert_allclose(ctc.near_log_probs(log_probs, labels, blank), expected, rtol=1e-9)
