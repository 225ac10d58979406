"""otoscope.alignment: by hand, against a brute-force oracle, and on the shipped model."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import ctc_oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled import FRAME_S, posteriors

from otoscope import Alphabet, FrameClock, Posteriors, Recognizer, align, ctc, greedy, load
from otoscope.errors import EmptyTextError, UnalignableTextError, UnsupportedTextError

SAMPLE = Path(__file__).resolve().parents[2] / "examples/sample.flac"
SAID = "it was a long time before he came home to his father"
OTHERS = "he is no wrong dime behind she game phone of her mother"

HEARD = 0.9
SURE = math.log(HEARD)
ELSE = math.log((1 - HEARD) / 28)
"""Log posteriors in posteriors made by hand: of what a frame shows, and of all else."""


def frames(each):
    return each.start_frame, each.end_frame


def gop_frames(word):
    return word.gop_start_frame, word.gop_end_frame


# By hand.


def test_which_frames_are_the_h_and_which_the_two_l_of_hello():
    aligned = align(posteriors("_hheel_llo_"), "hello")
    assert [(c.character, *frames(c)) for c in aligned.characters] == [
        ("h", 1, 3),
        ("e", 3, 5),
        ("l", 5, 6),
        ("l", 7, 9),
        ("o", 9, 10),
    ]
    h = aligned.characters[0]
    assert (h.start_s, h.end_s) == pytest.approx((0.5 * FRAME_S, 2.5 * FRAME_S))
    assert (h.score, h.confidence) == pytest.approx((SURE, HEARD), rel=1e-5)


def test_a_perfect_word_has_nothing_to_lose():
    [word] = align(posteriors("__hi_"), "hi").words
    assert (word.word, frames(word), gop_frames(word)) == ("hi", (2, 4), (2, 4))
    assert word.gop == 0.0
    assert (word.score, word.confidence) == pytest.approx((SURE, HEARD), rel=1e-5)


def test_words_have_their_characters_and_the_text_has_spaces_too():
    aligned = align(posteriors("_hi_ __you"), "Hi, YOU!")
    assert aligned.text == "hi you"
    assert "".join(c.character for c in aligned.characters) == "hi you"
    assert ["".join(c.character for c in word.characters) for word in aligned.words] == [
        *("hi", "you")
    ]
    assert frames(aligned.characters[2]) == (4, 5)
    assert [frames(word) for word in aligned.words] == [(1, 3), (7, 10)]


def test_a_characters_score_is_its_mean_and_its_confidence_its_best_frame():
    [a] = align(posteriors("aab", [0.5, 0.8, 0.6]), "ab").characters[:1]
    assert a.score == pytest.approx((math.log(0.5) + math.log(0.8)) / 2, rel=1e-5)
    assert a.confidence == pytest.approx(0.8, rel=1e-5)


def test_a_wrong_letter_costs_its_word_and_no_other():
    wrong, right = align(posteriors("_hi_ _yo_"), "ha yo").words
    assert wrong.gop == pytest.approx((ELSE - SURE) / 2, rel=1e-5)
    assert wrong.confidence < 0.1
    assert right.gop == 0.0


def test_silence_makes_no_pronunciation_better():
    short = align(posteriors("hi yo"), "ha yo")
    long = align(posteriors("_" * 50 + "hi" + "_" * 20 + " " + "_" * 20 + "yo" + "_" * 50), "ha yo")
    assert [w.gop for w in long.words] == pytest.approx([w.gop for w in short.words], rel=1e-6)
    assert gop_frames(long.words[0]) == (50, 52)


@pytest.mark.parametrize(
    ("text", "at_fault", "judged"),
    [
        ("hell yo", 0, (1, 7)),  # the o after the last character
        ("ello yo", 0, (1, 7)),  # the h before the first
        ("hello o", 1, (10, 12)),  # likewise, of the second word
    ],
)
def test_a_sound_that_the_text_lacks_counts_against_its_word(text, at_fault, judged):
    words = align(posteriors("_hel_lo_ _yo_"), text).words
    assert gop_frames(words[at_fault]) == judged
    assert words[at_fault].gop == pytest.approx((ELSE - SURE) / (judged[1] - judged[0]), rel=1e-5)
    assert words[1 - at_fault].gop == 0.0


def test_an_alphabet_without_a_space_makes_one_word():
    alphabet = Alphabet(tuple("ab"))
    aligned = align(posteriors("_ab_ba", alphabet=alphabet), "ab ba")
    assert aligned.text == "abba"
    [word] = aligned.words
    assert (word.word, frames(word)) == ("abba", (1, 6))
    assert [frames(c) for c in word.characters] == [(1, 2), (2, 3), (4, 5), (5, 6)]


# What cannot be aligned.


@pytest.mark.parametrize("text", ["", " \n", "?!", "'"])
def test_a_text_of_nothing(text):
    with pytest.raises(EmptyTextError, match=r"at least one of .abc.*, got "):
        align(posteriors("_a_"), text)


def test_symbols_outside_the_alphabet_are_named():
    with pytest.raises(UnsupportedTextError, match="got also: 6 ö "):
        align(posteriors("_b_", alphabet=Alphabet(tuple("bc "))), "b6ö")


@pytest.mark.parametrize("count", [0, 5])
def test_more_text_than_frames(count):
    with pytest.raises(UnalignableTextError, match=f"at least 6 frames for 5 symbols, got {count}"):
        align(posteriors("hello"[:count]), "hello")


def test_as_many_frames_as_the_text_needs():
    aligned = align(posteriors("hel_lo"), "hello")
    assert [frames(c) for c in aligned.characters] == [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6)]


# Against the oracle and from first principles.


@pytest.mark.parametrize("seed", range(5))
def test_log_probs_are_those_of_the_oracle(seed):
    log_probs = ctc_oracle.random_log_probs(5, 3, seed)
    alphabet = Alphabet(tuple("ab"))
    given_ = Posteriors(log_probs, alphabet, FrameClock(FRAME_S, 0.2))
    totals = ctc_oracle.labellings(log_probs, blank=2)
    for labels in totals.keys() - {()}:
        aligned = align(given_, alphabet.decode(labels))
        assert aligned.log_prob == pytest.approx(math.log(totals[labels]))
        assert aligned.path_log_prob == pytest.approx(
            ctc_oracle.best_path(log_probs, labels, blank=2)[0]
        )
        assert aligned.free_log_prob == pytest.approx(log_probs.max(axis=1).sum())


@st.composite
def cases(draw):
    """Posteriors of noise, and a text that fits them."""
    alphabet = Alphabet(tuple("abc "))
    text = draw(st.text("abc ", min_size=1, max_size=12).filter(str.strip))
    text = alphabet.normalize(text)
    count = ctc.min_frames(alphabet.encode(text)) + draw(st.integers(0, 15))
    log_probs = ctc_oracle.random_log_probs(count, 5, draw(st.integers(0, 10**6)))
    duration_s = max(count - draw(st.floats(0.1, 1)), 0.3) * FRAME_S
    return Posteriors(log_probs, alphabet, FrameClock(FRAME_S, duration_s)), text


@given(cases())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_spans_are_in_order_without_overlaps_within_the_recording(case):
    heard, text = case
    aligned = align(heard, text)
    assert "".join(c.character for c in aligned.characters) == text
    assert [word.word for word in aligned.words] == text.split()
    for spans in (aligned.characters, aligned.words):
        edges = [edge for each in spans for edge in frames(each)]
        assert edges == sorted(edges)
        assert (edges[0] >= 0, edges[-1] <= len(heard.log_probs)) == (True, True)
        times = [time for each in spans for time in (each.start_s, each.end_s)]
        assert times == sorted(times)
        assert (times[0] >= 0, times[-1] <= heard.clock.duration_s) == (True, True)
        assert all(each.start_frame < each.end_frame for each in spans)
        assert all(each.start_s < each.end_s for each in spans)
    for left, right in itertools.pairwise(aligned.characters):
        if left.character == right.character:
            assert left.end_frame < right.start_frame


@given(cases())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_scores_follow_from_the_frames(case):
    heard, text = case
    aligned = align(heard, text)
    path = [heard.alphabet.blank_index] * len(heard.log_probs)
    for character in aligned.characters:
        for frame in range(*frames(character)):
            path[frame] = heard.alphabet.symbols.index(character.character)
    forced = [float(row[label]) for row, label in zip(heard.log_probs, path, strict=True)]
    free = [float(max(row)) for row in heard.log_probs]
    assert aligned.path_log_prob == pytest.approx(sum(forced))
    assert aligned.path_log_prob <= aligned.log_prob + 1e-9
    assert aligned.log_prob <= 1e-9
    for each in (*aligned.characters, *aligned.words):
        assert each.score == pytest.approx(np.mean(forced[slice(*frames(each))]))
    for word in aligned.words:
        start, stop = gop_frames(word)
        assert start <= word.start_frame < word.end_frame <= stop
        assert word.gop <= 0
        assert word.gop == pytest.approx(
            (sum(forced[start:stop]) - sum(free[start:stop])) / (stop - start)
        )
    for left, right in itertools.pairwise(aligned.words):
        assert left.gop_end_frame < right.gop_start_frame


# On posteriors of speech.


@pytest.fixture(scope="module")
def sample(sentence_model):
    recognizer = Recognizer(sentence_model)
    [found] = recognizer.posteriors([load(SAMPLE, recognizer.spec.features.sample_rate_hz).samples])
    said = found.log_probs[:-5]  # without the space in the silence, which transcripts leave out
    return replace(found, log_probs=said)


def test_the_greedy_transcript_is_aligned_to_the_greedy_path(sample):
    path = sample.log_probs.argmax(axis=1).astype(np.int64)
    runs = [run for run in ctc.runs(path) if run.label != sample.alphabet.blank_index]
    transcript = greedy(sample)
    aligned = align(sample, transcript.text)
    assert [(c.character, *frames(c)) for c in aligned.characters] == [
        (sample.alphabet.symbols[run.label], run.start, run.stop) for run in runs
    ]
    for word, expected in zip(aligned.words, transcript.words, strict=True):
        assert (word.word, word.start_s, word.end_s) == (
            *(expected.word, expected.start_s, expected.end_s),
        )
        assert word.confidence == pytest.approx(expected.confidence)
        assert word.gop == 0.0
    assert aligned.path_log_prob == pytest.approx(aligned.free_log_prob)


def test_a_wrong_text_is_worse_than_the_right_one(sample):
    right, wrong = align(sample, SAID), align(sample, OTHERS)
    assert wrong.log_prob < right.log_prob
    assert wrong.path_log_prob < right.path_log_prob
    assert np.mean([w.gop for w in wrong.words]) < np.mean([w.gop for w in right.words])


@pytest.mark.parametrize("at", range(1, len(SAID.split())))  # the first is as good as cut off
def test_each_wrong_word_is_worse_than_the_right_one(sample, at):
    said, others = SAID.split(), OTHERS.split()
    right = align(sample, SAID).words[at]
    wrong = align(sample, " ".join([*said[:at], others[at], *said[at + 1 :]])).words[at]
    assert wrong.gop < right.gop
