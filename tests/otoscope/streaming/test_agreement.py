import pytest

from otoscope import Word
from otoscope.streaming.agreement import agreed, words_behind
from otoscope.transcript import moved


def words(text, start_s=0.0):
    """Half a second each, one after another."""
    return tuple(
        Word(word, start_s + i / 2, start_s + (i + 1) / 2, 0.9)
        for i, word in enumerate(text.split())
    )


def text(found):
    return " ".join(word.word for word in found)


@pytest.mark.parametrize(
    ("one", "other", "until_s", "count"),
    [
        ("he came home", "he came home", 9, 3),
        ("he came home", "he came here", 9, 2),
        ("he came", "he came home", 9, 2),
        ("he came home", "he came home", 1.2, 2),
        ("", "he", 9, 0),
        ("she came", "he came", 9, 0),
    ],
)
def test_what_two_hypotheses_begin_with_is_certain(one, other, until_s, count):
    assert agreed(words(one), words(other), until_s) == count


@pytest.mark.parametrize(
    ("confirmed", "hypothesis", "behind"),
    [
        ("", "he came", "he came"),
        ("he came", "he came home", "home"),
        ("he came", "he came", ""),
        ("he came", "she came home again", "home again"),
        ("he came", "he can home", "home"),
        ("to day he came", "today he came home", "home"),
        ("today he", "to day he came", "came"),
        ("the the", "the the the end", "the end"),
        ("he came home", "", ""),
    ],
)
def test_a_hypothesis_goes_on_behind_what_is_confirmed(confirmed, hypothesis, behind):
    assert text(words_behind(words(confirmed), words(hypothesis))) == behind


def test_among_equal_places_that_nearest_in_time_counts():
    confirmed = words("no", start_s=3.0)
    assert text(words_behind(confirmed, words("no no no no no no no no yes"))) == "no yes"


def test_words_move_in_time_alone():
    [word] = moved(words("home"), 2.0)
    assert word == Word("home", 2.0, 2.5, 0.9)
