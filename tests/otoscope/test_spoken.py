"""Digits and signs as they are said."""

import time

import pytest

from otoscope.errors import UnsupportedTextError
from otoscope.spoken import spoken
from otoscope.vocabulary import ENGLISH, Alphabet


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It was a long time.", "it was a long time"),
        ("Route 66!", "route sixty six"),
        ("in 1984, or 2005", "in nineteen eighty four or two thousand and five"),
        ("the 1990s", "the nineteen nineties"),
        ("1,250 people", "one thousand two hundred and fifty people"),
        ("3.14", "three point one four"),
        ("the 21st of May", "the twenty first of may"),
        ("$5 or \u20ac1100", "five dollars or one thousand one hundred euros"),
        ("50%", "fifty percent"),
        ("37 \u00b0C", "thirty seven degrees celsius"),
        ("-5\u00b0", "minus five degrees"),
        ("10:30, 7:05 and 9:00", "ten thirty seven oh five and nine o'clock"),
        ("007", "zero zero seven"),
        (
            "020 7946 0018",
            "zero two zero seven thousand nine hundred and forty six zero zero one eight",
        ),
        ("5551234567", "five five five one two three four five six seven"),
        ("AT&T", "at and t"),
        ("R2-D2", "r two d two"),
        ("1/2", "one two"),
        ("a@b", "a at b"),
        ("caf\u00e9 na\u00efve", "cafe naive"),
        ("0", "zero"),
    ],
)
def test_what_is_said(written, said):
    assert spoken(written, ENGLISH) == (said, ())


@pytest.mark.parametrize(
    ("written", "said", "left_out"),
    [
        ("hello \U0001f600 world", "hello world", ("\U0001f600",)),
        ("to \u6771\u4eac, and back", "to and back", ("\u6771\u4eac,",)),
        ("a\u03b1b 5", "ab five", ("a\u03b1b",)),
        ("two \u2192 three", "two three", ("\u2192",)),
    ],
)
def test_what_has_no_sound_is_left_out_and_listed(written, said, left_out):
    found = spoken(written, ENGLISH)
    assert found == (said, left_out)
    [warning] = found.warnings
    assert warning.endswith(" ".join(left_out))


def test_nothing_left_is_an_error_that_names_the_characters():
    with pytest.raises(UnsupportedTextError, match="\u4eac \u6771"):
        spoken("\u6771\u4eac", ENGLISH)
    assert spoken("...", ENGLISH) == ("", ())


def test_another_alphabet_has_no_words_for_numbers():
    with pytest.raises(UnsupportedTextError, match="5"):
        spoken("a 5", Alphabet(tuple("abc ")))
    assert spoken("A b", Alphabet(tuple("abc "))) == ("a b", ())


def test_any_text_is_said_or_refused():
    for code in (*range(0x20, 0x2FF), *range(0x2000, 0x2200), 0x660, 0xFF15, 0x1D7D8):
        try:
            text = spoken(f"a{chr(code)}1{chr(code)} {chr(code)}", ENGLISH).text
        except UnsupportedTextError:
            continue
        assert ENGLISH.normalize(text) == text


def test_many_signs_without_a_sound_take_no_time():
    signs = "".join(map(chr, range(0x4E00, 0x9000)))
    began_s = time.process_time()
    with pytest.raises(UnsupportedTextError):
        spoken(signs, ENGLISH)
    assert spoken(f"father {signs}", ENGLISH).text == "father"
    assert time.process_time() - began_s < 2
