"""otoscope.decoding.greedy on posteriors made by hand."""

import math

import ctc_oracle
import numpy as np
import pytest
from spelled import FRAME_S, posteriors

from otoscope.clock import FrameClock
from otoscope.decoding.greedy import ONSET_LEAD_S, greedy
from otoscope.posteriors import Posteriors
from otoscope.vocabulary import ENGLISH, Alphabet


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", ""),
        ("___", ""),
        ("a", "a"),
        ("hheel_llo_", "hello"),
        ("__a__ _b", "a b"),
        ("  a _ b  ", "a b"),
        (" _ ", ""),
        ("it's", "it's"),
        ("aa_aa", "aa"),
    ],
)
def test_text(path, text):
    assert greedy(posteriors(path)).text == text


def test_no_speech_has_no_confidence():
    for path in ("", "____", " "):
        transcript = greedy(posteriors(path))
        assert transcript.confidence is None
        assert transcript.words == ()


def test_times_of_words_and_characters():
    transcript = greedy(posteriors("_hii_ _yo_"))
    assert [word.word for word in transcript.words] == ["hi", "yo"]
    assert [c.character for c in transcript.characters] == list("hi yo")
    first, second = transcript.words
    assert (first.start_s, first.end_s) == pytest.approx((0.0, 3.5 * FRAME_S))
    expected_s = 6.5 * FRAME_S - ONSET_LEAD_S, 8.5 * FRAME_S
    assert (second.start_s, second.end_s) == pytest.approx(expected_s)
    i = transcript.characters[1]
    assert (i.start_s, i.end_s) == pytest.approx((1.5 * FRAME_S, 3.5 * FRAME_S))


def test_a_word_begins_before_its_first_character_but_not_within_the_word_before():
    ordinary, close = greedy(posteriors("a__ _b")).words, greedy(posteriors("a b")).words
    assert [word.end_s for word in ordinary][:1] < [ordinary[1].start_s]
    assert ordinary[1].start_s == pytest.approx(4.5 * FRAME_S - ONSET_LEAD_S)
    assert close[1].start_s == pytest.approx(max(close[0].end_s, 1.5 * FRAME_S - ONSET_LEAD_S))


def test_times_stay_within_the_recording():
    transcript = greedy(posteriors("abc"))
    assert transcript.characters[0].start_s == 0.0
    assert transcript.characters[-1].end_s == pytest.approx(2.5 * FRAME_S)
    for left, right in zip(transcript.characters, transcript.characters[1:], strict=False):
        assert left.end_s <= right.start_s


def test_a_characters_confidence_is_its_best_frame():
    transcript = greedy(posteriors("aab", [0.5, 0.8, 0.6]))
    assert [c.confidence for c in transcript.characters] == pytest.approx([0.8, 0.6], rel=1e-5)
    assert transcript.words[0].confidence == pytest.approx(math.sqrt(0.8 * 0.6), rel=1e-5)


def test_spaces_and_blanks_do_not_count_for_confidence():
    transcript = greedy(posteriors("a_ _b", [0.5, 0.99, 0.2, 0.99, 0.8]))
    assert transcript.confidence == pytest.approx(math.sqrt(0.5 * 0.8), rel=1e-5)
    assert transcript.characters[1].confidence == pytest.approx(0.2, rel=1e-5)


def test_confidence_is_at_most_one_in_spite_of_rounding():
    certain = posteriors("a", 0.9)
    log_probs = certain.log_probs.copy()
    log_probs[0, 0] = 1e-6
    transcript = greedy(Posteriors(log_probs, ENGLISH, certain.clock))
    assert transcript.confidence == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_greedy_is_the_collapsed_best_path(seed):
    alphabet = Alphabet(tuple("ab"))
    log_probs = ctc_oracle.random_log_probs(12, 3, seed).astype(np.float32)
    path = [int(label) for label in log_probs.argmax(axis=1)]
    expected = alphabet.decode(ctc_oracle.collapse(path, blank=2))
    assert greedy(Posteriors(log_probs, alphabet, FrameClock(FRAME_S, 1.0))).text == expected
