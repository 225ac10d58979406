"""The table of numbers: heard words to digits, and back by a reader."""

from pathlib import Path

import pytest

from otoscope.spoken import spoken
from otoscope.vocabulary import ENGLISH
from otoscope.written.numbers import written_numbers

_TABLE = Path(__file__).with_name("number_cases.txt").read_text(encoding="utf-8").splitlines()
_LINES = [line for line in _TABLE if not line.startswith("#")]


def _case(line):
    for sign in (" = ", " > "):
        heard, found, written = line.partition(sign)
        if found:
            return heard, written
    return line, line


def _write(heard, breaks=()):
    words = heard.split()
    for number in reversed(written_numbers(words, breaks)):
        words[number.start : number.end] = [number.text]
    return " ".join(words)


@pytest.mark.parametrize("line", _LINES)
def test_written(line):
    heard, written = _case(line)
    assert _write(heard) == written


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("nine | percent", "nine percent"),
        ("forty | per cent", "40 per cent"),
        ("forty per | cent", "40 per cent"),
        ("thirty | euro", "30 euro"),
        ("thirty euro | fifty cents", "\u20ac30 50 cents"),
        ("thirty euro and | fifty cents", "\u20ac30 and 50 cents"),
        ("nine | o'clock", "nine o'clock"),
        ("twelve p | m", "12 p m"),
        ("minus | forty", "minus 40"),
        ("a | hundred and one", "a hundred and one"),
        ("nineteen | twenties", "19 twenties"),
        ("nine hundred | oh no", "900 oh no"),
        ("oh | five five four", "oh 554"),
        ("june fifth | twenty thirty", "june 5th 2030"),
    ],
)
def test_no_number_goes_beyond_punctuation(heard, written):
    parts = [part.split() for part in heard.split("|")]
    assert _write(heard.replace(" |", ""), {len(parts[0])}) == written


@pytest.mark.parametrize("line", [line for line in _LINES if " = " in line])
def test_read_back(line):
    heard, written = _case(line)
    assert _without_and(spoken(written, ENGLISH).text) == _without_and(heard)


def test_the_table_has_200_cases():
    assert len(set(_LINES)) >= 200


def test_spans_are_in_order_and_apart():
    words = " then ".join(line.split(" > ")[0].split(" = ")[0] for line in _LINES).split()
    spans = written_numbers(words)
    assert len(spans) > 100
    ends = [0] + [number.end for number in spans]
    assert all(end <= number.start < number.end for end, number in zip(ends, spans, strict=False))


def _without_and(text):
    return [word for word in text.split() if word != "and"]
