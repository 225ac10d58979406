"""otoscope.decoding.phrases against CTC by its definition."""

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from ctc_oracle import labellings, random_log_probs

from otoscope import ENGLISH, Recognizer, ctc, load
from otoscope.clock import FrameClock
from otoscope.decoding import phrases as phrases_module
from otoscope.decoding.phrases import rank_phrases
from otoscope.errors import EmptyTextError, TextError, UnalignableTextError, UnsupportedTextError
from otoscope.posteriors import Posteriors
from otoscope.vocabulary import Alphabet

ROOT = Path(__file__).parents[3]
ALPHABET = Alphabet(("a", "b", " "))


def posteriors(frames, seed=0):
    log_probs = random_log_probs(frames, ALPHABET.size, seed).astype(np.float32)
    return Posteriors(log_probs, ALPHABET, FrameClock(0.04, 1.0))


@pytest.mark.parametrize("seed", range(5))
def test_phrases_are_ranked_by_their_probability(seed):
    given = posteriors(5, seed)
    exact = labellings(given.log_probs, ALPHABET.blank_index)
    phrases = ["a", "b", "ab", "a b", "bb", "aba"]
    ranked = rank_phrases(given, phrases)
    chances = {one: exact.get(tuple(ALPHABET.encode(one).tolist()), 0.0) for one in phrases}
    assert [one.phrase for one in ranked] == sorted(phrases, key=lambda one: -chances[one])
    for one in ranked:
        assert math.exp(one.log_prob) == pytest.approx(chances[one.phrase], rel=1e-4)
        assert one.probability == pytest.approx(
            chances[one.phrase] / sum(chances.values()), rel=1e-4
        )


def test_texts_of_all_lengths_together_are_as_each_alone():
    log_probs = random_log_probs(12, 4, 7)
    texts = [np.array(t, dtype=np.int64) for t in ([], [0], [1, 1, 1], [0, 1, 2, 0, 1], [2] * 9)]
    together = ctc.forward_log_probs(log_probs, texts, 3)
    assert together.tolist() == [ctc.forward_log_prob(log_probs, one, 3) for one in texts]
    assert together[-1] == -np.inf  # nine equal letters need seventeen frames


def test_what_was_said_wins(sentence_model):
    model = Recognizer(sentence_model)
    waveform = load(ROOT / "examples" / "sample.flac", model.spec.features.sample_rate_hz)
    [given] = model.posteriors([waveform.samples])
    said = "It was a long time before he came home to his father."
    others = ["It was a long time before she came home to her mother.", "Good morning."]
    best = rank_phrases(given, [*others, said])[0]
    assert best.phrase == said
    assert best.probability > 0.9


def test_phrases_that_can_not_be_ranked_are_refused():
    given = posteriors(3)
    for phrases in ([], ["a", "..."]):
        with pytest.raises(EmptyTextError):
            rank_phrases(given, phrases)
    with pytest.raises(UnalignableTextError, match="3 frames"):
        rank_phrases(given, ["abab", "bbbb"])
    with pytest.raises(UnsupportedTextError):
        rank_phrases(Posteriors(given.log_probs, ENGLISH, given.clock), ["50 %"])


def test_many_phrases_are_ranked_as_each_alone(monkeypatch):
    monkeypatch.setattr(phrases_module, "_BATCH_STATES", 40)
    given, random = posteriors(40), np.random.default_rng(0)
    many = {"".join(random.choice(["a", "b"], size)) for size in random.integers(1, 60, 200)}
    ranked = rank_phrases(given, sorted(many))
    assert {one.phrase for one in ranked} == many
    for one in ranked:
        labels = ALPHABET.encode(one.phrase)
        alone = ctc.forward_log_prob(given.log_probs, labels, ALPHABET.blank_index)
        assert one.log_prob == pytest.approx(alone)
    assert sum(one.log_prob == -np.inf for one in ranked) > 50
    assert sum(one.probability for one in ranked) == pytest.approx(1.0)


def test_phrases_that_do_not_fit_take_no_memory():
    """Padded to the longest, these would take 16 GB."""
    tracemalloc.start()
    try:
        long = [f"{'ab' * 2000}{'a' * size}" for size in range(1000)]
        ranked = rank_phrases(posteriors(20), ["a", *long])
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (ranked[0].phrase, ranked[0].probability) == ("a", 1.0)
    assert peak_bytes < 100e6


def test_the_work_for_long_lists_and_recordings_is_bounded(monkeypatch):
    monkeypatch.setattr(phrases_module, "MOST_CELLS", 1000)
    given = posteriors(100)
    assert rank_phrases(given, ["ab" * 3, "b", "a" * 101])[0].phrase == "ababab"
    expected = (
        "at most 10 characters together, and one more for each, for a recording of 100 frames"
    )
    with pytest.raises(TextError, match=f"{expected}, got 12"):
        rank_phrases(given, ["ab" * 4, "ab"])


def test_ten_minutes_and_hundreds_of_long_phrases_are_refused():
    """It would take minutes to rank them."""
    many = ["ab" * 400 + "a" * (1 + number) for number in range(199)]
    with pytest.raises(TextError, match="for a recording of 15000 frames, got 1"):
        rank_phrases(posteriors(15000), many)


def test_none_of_these_wins_where_something_else_is_said(sentence_model):
    model = Recognizer(sentence_model)
    waveform = load(ROOT / "examples" / "sample.flac", model.spec.features.sample_rate_hz)
    [given] = model.posteriors([waveform.samples])
    said = "It was a long time before he came home to his father."
    for phrases in (["yes", "no"], ["we shall all meet again in the morning at the station"]):
        best, *rest = rank_phrases(given, phrases, or_none=True)
        assert (best.phrase, best.probability > 0.99) == ("", True)
        assert [one.phrase for one in rest] == [one.phrase for one in rank_phrases(given, phrases)]
    best, second, _ = rank_phrases(given, ["yes", said], or_none=True)
    assert (best.phrase, second.phrase) == (said, "")
    assert best.probability > 0.99


def test_garbage_by_hand():
    """Two symbols by chance (1 in 3 each) along the best path."""
    probs = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7], [0.1, 0.7, 0.1, 0.1]])
    given = Posteriors(np.log(probs).astype(np.float32), ALPHABET, FrameClock(0.04, 0.12))
    none = rank_phrases(given, ["b"], or_none=True)
    by_name = {one.phrase: one for one in none}
    assert math.exp(by_name[""].log_prob) == pytest.approx(0.7**3 / 9, rel=1e-4)
    assert sum(one.probability for one in none) == pytest.approx(1.0)


def test_nothing_said_is_none_of_these():
    probs = np.full((20, 4), 0.01)
    probs[:, 3] = 0.97
    given = Posteriors(np.log(probs).astype(np.float32), ALPHABET, FrameClock(0.04, 0.8))
    assert rank_phrases(given, ["a", "b"], or_none=True)[0].phrase == ""
    assert rank_phrases(given, ["a" * 30], or_none=True)[0].phrase == ""
