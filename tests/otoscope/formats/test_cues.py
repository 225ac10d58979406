"""otoscope.formats.cues: limits for any words, and where lines and cues end, by hand."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otoscope import Word
from otoscope.formats import cues
from otoscope.formats.cues import Cue, cues_of

LENGTHS_MS = st.one_of(st.integers(1, 900), st.integers(1, 12000))
GAPS_MS = st.one_of(st.integers(0, 300), st.integers(0, 3000))
SPELLINGS = st.one_of(
    st.text("abcde", min_size=1, max_size=9),
    st.text("ab", min_size=1, max_size=99),
    st.from_regex("[a-e]{1,9}[,.?!]", fullmatch=True),
)


def spoken(*timed):
    """Words from (silence before in ms, length in ms, spelling)."""
    words, now_ms = [], 0
    for gap_ms, length_ms, spelling in timed:
        start_ms = now_ms + gap_ms
        now_ms = start_ms + length_ms
        mark = spelling[-1] if spelling[-1] in ",.?!" else ""
        words.append(Word(spelling, start_ms / 1000, now_ms / 1000, 1.0, mark=mark))
    return words


def evenly(text, gap_ms=50, length_ms=250):
    return spoken(*((gap_ms, length_ms, spelling) for spelling in text.split()))


@st.composite
def recordings(draw):
    """Words and the length of their recording in seconds."""
    words = spoken(*draw(st.lists(st.tuples(GAPS_MS, LENGTHS_MS, SPELLINGS), max_size=40)))
    last_s = words[-1].end_s if words else 0.0
    return words, last_s + draw(st.integers(0, 3000)) / 1000


@given(recordings())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_limits_hold_for_any_words(recording):
    words, duration_s = recording
    found = cues_of(words, duration_s)
    assert " ".join(line for cue in found for line in cue.lines) == " ".join(w.word for w in words)
    for cue, following in itertools.zip_longest(found, found[1:]):
        room_ms = following.start_ms if following else round(1000 * duration_s)
        assert cue.start_ms < cue.end_ms <= room_ms
        assert cue.end_ms - cue.start_ms <= 7000
        assert cue.end_ms - cue.start_ms >= 1000 or cue.end_ms == room_ms
        characters = len(" ".join(cue.lines))
        slow = 1000 * characters <= 17 * (cue.end_ms - cue.start_ms)
        assert slow or cue.end_ms in (room_ms, cue.start_ms + 7000)
        gap_ms = room_ms - cue.end_ms
        assert (
            following is None or gap_ms == 0 or gap_ms >= 500 or cue.end_ms == cue.start_ms + 7000
        )
        assert 1 <= len(cue.lines) <= 2
        assert all(len(line) <= 42 or " " not in line for line in cue.lines)
        assert len(cue.lines) == 1 or max(map(len, cue.lines)) <= 42


@given(recordings())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_cue_shows_its_words_when_they_are_said(recording):
    words, duration_s = recording
    rest = list(words)
    for cue in cues_of(words, duration_s):
        count = len(" ".join(cue.lines).split())
        shown, rest = rest[:count], rest[count:]
        assert cue.start_ms == round(1000 * shown[0].start_s)
        assert cue.end_ms >= round(1000 * shown[-1].end_s) or count == 1
        for left, right in itertools.pairwise(shown):
            assert round(1000 * (right.start_s - left.end_s)) < cues.PAUSE_MS
    assert rest == []


def test_no_words_no_cues():
    assert cues_of([], 3.0) == []


def test_a_pause_ends_a_cue():
    words = spoken((0, 1200, "one"), (699, 1200, "two"), (700, 1200, "three"))
    assert cues_of(words, 10.0) == [
        Cue(0, 3099, ("one two",)),
        Cue(3799, 4999, ("three",)),
    ]


def test_two_lines_are_as_even_as_words_allow():
    [cue] = cues_of(evenly("it was a long time before he came home to his father"), 4.0)
    assert cue.lines == ("it was a long time before", "he came home to his father")


def test_what_fits_one_line_is_not_broken():
    text = "a " * 20 + "ab"
    assert len(text) == 42
    assert cues_of(evenly(text), 7.0)[0].lines == (text,)
    assert len(cues_of(evenly(text + "c"), 7.0)[0].lines) == 2


def test_a_long_phrase_is_cut_at_the_longest_silence_near_its_middle():
    words = spoken(
        *((50, 200, "word") for _ in range(3)),  # too early to cut, however long the silence
        (600, 200, "word"),
        *((50, 200, "word") for _ in range(5)),
        (120, 200, "here"),
        *((50, 200, "word") for _ in range(12)),
    )
    first, second = cues_of(words, 30.0)
    assert " ".join(first.lines) == " ".join(["word"] * 9)
    assert " ".join(second.lines).startswith("here word")


def test_more_than_seven_seconds_are_divided():
    words = spoken((0, 3000, "one"), (100, 3000, "two"), (100, 3000, "three"))
    assert [cue.lines for cue in cues_of(words, 10.0)] == [("one two",), ("three",)]


def test_a_short_cue_stays_where_there_is_room():
    words = spoken((0, 100, "one"), (700, 100, "two"), (2000, 100, "three"))
    assert [(cue.start_ms, cue.end_ms) for cue in cues_of(words, 3.2)] == [
        (0, 800),  # until the next one
        (800, 1800),
        (2900, 3200),  # until the end
    ]


def test_a_word_of_more_than_seven_seconds_is_shown_for_seven():
    assert cues_of(spoken((500, 9000, "aah")), 12.0) == [Cue(500, 7500, ("aah",))]


@pytest.mark.parametrize("length", [43, 86, 1000])
def test_a_word_longer_than_a_line_has_one_of_its_own(length):
    words = evenly(f"before {'x' * length} after")
    assert [cue.lines for cue in cues_of(words, 2.0)] == [
        ("before",),
        ("x" * length,),
        ("after",),
    ]


def test_a_cue_stays_until_it_is_read():
    words = spoken((0, 600, "characteristically"), (50, 350, "uncharacteristic"), (3000, 500, "so"))
    first, _ = cues_of(words, 9.0)
    assert (first.start_ms, first.end_ms) == (0, 2059)  # 35 characters


def test_a_small_gap_is_closed():
    words = spoken((0, 1200, "one"), (800, 1200, "two"), (1100, 1200, "three"))
    assert [(cue.start_ms, cue.end_ms) for cue in cues_of(words, 9.0)] == [
        (0, 1200),  # 800 ms before the next
        (2000, 3200),
        (4300, 5500),
    ]
    words = spoken((0, 600, "one"), (800, 1200, "two"))
    assert [(cue.start_ms, cue.end_ms) for cue in cues_of(words, 9.0)] == [(0, 1400), (1400, 2600)]


def test_written_text_is_divided_where_sentences_end():
    words = evenly(
        "He came home, to his father. It was a long time, and it rained on all the days that he "
        "was away from the house."
    )
    first, second = cues_of(words, 30.0)
    assert first.lines == ("He came home, to his father.",)
    assert second.lines == (
        "It was a long time, and it rained on all",
        "the days that he was away from the house.",
    )


def test_or_else_at_a_clause_wherever_the_longest_silence_is():
    words = spoken(
        *((50, 250, "word") for _ in range(6)),
        (50, 250, "word,"),
        *((50, 250, "word") for _ in range(3)),
        (600, 250, "word"),
        *((50, 250, "word") for _ in range(7)),
    )
    first, second = cues_of(words, 30.0)
    assert " ".join(first.lines).endswith("word,")
    assert len(" ".join(second.lines).split()) == 11


def test_a_clause_at_the_edge_of_a_phrase_is_no_place_to_cut():
    first, _ = cues_of(evenly("so, " + "word " * 18), 30.0)
    assert len(" ".join(first.lines).split()) > 6


def test_lines_end_with_clauses_if_both_fit():
    [cue] = cues_of(evenly("It was a long time, before he came home to his father"), 4.0)
    assert cue.lines == ("It was a long time,", "before he came home to his father")
    [cue] = cues_of(evenly("It was, a very long time before he came home to his father"), 7.0)
    assert cue.lines == ("It was, a very long time before", "he came home to his father")
