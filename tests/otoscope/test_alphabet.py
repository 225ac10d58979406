"""otoscope.vocabulary: what text becomes, and what it refuses to become."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otoscope.errors import OtoscopeError, SpecError, UnsupportedTextError
from otoscope.vocabulary import BLANK_NAME, ENGLISH, Alphabet

GERMAN = Alphabet(tuple("abcdefghijklmnopqrstuvwxyzäöüß '"))


def test_english_has_28_symbols_and_the_blank_is_class_28():
    assert len(ENGLISH.symbols) == 28
    assert ENGLISH.blank_index == 28
    assert ENGLISH.size == 29
    assert ENGLISH.class_names[26:] == (" ", "'", BLANK_NAME)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("hello", "hello"),
        ("  Hello,\tWORLD!\n", "hello world"),
        ("well-known and/or so—called", "well known and or so called"),
        ("Don\u2019t, don\u00b4t, don`t", "don't don't don't"),
        ("he said: “yes” … (twice)", "he said yes twice"),
        ("' '' rock 'n' roll '", "rock 'n' roll"),
        ("café naïve Ångström", "cafe naive angstrom"),
        ("cafe\u0301", "cafe"),
        ("ﬁne", "fine"),
        ("so\u200bft\u00ad hyphen", "soft hyphen"),
        ("!?...", ""),
    ],
)
def test_normalise(text, expected):
    assert ENGLISH.normalize(text) == expected


@pytest.mark.parametrize(
    "text", ["5 o'clock", "£", "a + b", "œuvre", "привет", "你好", "50 °", "½"]
)
def test_what_has_a_sound_but_no_symbol_is_named(text):
    with pytest.raises(UnsupportedTextError, match=r"abcdefghijklmnopqrstuvwxyz '.* got also: "):
        ENGLISH.normalize(text)


@pytest.mark.parametrize("sign", ["&", "%", "@", "#", "§"])
def test_signs_that_are_read_as_words_are_no_punctuation(sign):
    with pytest.raises(UnsupportedTextError, match=f"got also: {sign} "):
        ENGLISH.normalize(f"research {sign} development")


def test_all_unsupported_characters_are_named_once():
    with pytest.raises(UnsupportedTextError, match=r"got also: \$ 1 2 \(spell"):
        ENGLISH.normalize("$12 or $21")


def test_another_language_keeps_its_letters():
    assert GERMAN.normalize("Straße, ÄPFEL; Éclair") == "straße äpfel eclair"


def test_an_upper_case_alphabet_folds_upwards():
    assert Alphabet(tuple("ABC ")).normalize("a b-c") == "A B C"


def test_an_alphabet_without_apostrophe_or_space():
    assert Alphabet(tuple("abc")).normalize("a'b c") == "abc"


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_normalised_text_can_be_encoded_and_comes_back(text):
    for alphabet in (ENGLISH, GERMAN, Alphabet(tuple("abc"))):
        try:
            normalised = alphabet.normalize(text)
        except UnsupportedTextError:
            continue
        indices = alphabet.encode(normalised)
        assert alphabet.decode(indices) == normalised
        assert alphabet.normalize(normalised) == normalised
        assert "  " not in normalised
        assert normalised == normalised.strip()


def test_encode():
    indices = ENGLISH.encode("a z'")
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, [0, 26, 25, 27])
    assert ENGLISH.encode("").shape == (0,)
    with pytest.raises(UnsupportedTextError, match="got 'A'"):
        ENGLISH.encode("bA")


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ((), "at least one symbol"),
        (("a", "bc"), r"one character each, got \['bc'\]"),
        (("a", ""), "one character each"),
        (("a", "b", "a"), "different symbols, got 'aba'"),
    ],
)
def test_alphabets_that_cannot_be(symbols, message):
    with pytest.raises(SpecError, match=message):
        Alphabet(symbols)


def test_errors_are_the_domains():
    assert issubclass(UnsupportedTextError, OtoscopeError)
    assert issubclass(SpecError, OtoscopeError)
