import pytest

from otoscope.written.spec import CASES, MARKS
from training.punctuation.tokens import ELLIPSIS, UNKNOWN_CASE, heard


def _named(token):
    one = heard(token)
    cases = ["?" if case == UNKNOWN_CASE else CASES[case] for case in one.cases]
    return " ".join(one.words), cases, "..." if one.mark == ELLIPSIS else MARKS[one.mark]


@pytest.mark.parametrize(
    ("token", "words", "cases", "mark"),
    [
        ("house", "house", ["lower"], ""),
        ('"House,"', "house", ["capital"], ","),
        ("\u201cWhat?\u201d", "what", ["capital"], "?"),
        ("Stop!'", "stop", ["capital"], "!"),
        ("NASA.", "nasa", ["upper"], "."),
        ("iPhone;", "iphone", ["mixed"], ","),
        ("McDonald:", "mcdonald", ["mixed"], ","),
        ("I", "i", ["capital"], ""),
        ("I,", "i", ["capital"], ","),
        ("I.", "i", ["capital"], "."),
        ("I'm", "i'm", ["capital"], ""),
        ("don\u2019t", "don't", ["lower"], ""),
        ("Good-morning,", "good morning", ["capital", "lower"], ","),
        ("Mr.", "mister", ["mixed"], ""),
        ("Dr.,", "doctor", ["mixed"], ""),
        ("R.A.", "r a", ["capital", "capital"], ""),
        ("J.", "j", ["capital"], ""),
        ("well...", "well", ["lower"], "..."),
        ("well\u2026", "well", ["lower"], "..."),
        ("1984.", "nineteen eighty four", ["?"] * 3, "."),
        ("$5", "five dollars", ["?"] * 2, ""),
        ("caf\u00e9", "cafe", ["lower"], ""),
    ],
)
def test_tokens_are_heard(token, words, cases, mark):
    assert _named(token) == (words, cases, mark)


def test_punctuation_alone_has_a_mark_and_no_words():
    assert _named(",") == ("", [], ",")
    assert _named('"') == ("", [], "")


def test_what_has_no_sound_is_none():
    assert heard("\u03b1\u03b2\u03b3") is None
