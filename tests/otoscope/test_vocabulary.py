"""otoscope.vocabulary: what text becomes, and what it refuses to become; phonemes in a spec."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otoscope import ModelSpec
from otoscope.errors import OtoscopeError, SpecError, UnsupportedTextError
from otoscope.vocabulary import ARPABET, BLANK_NAME, ENGLISH, Alphabet, PhonemeSet

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
def test_normalize(text, expected):
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
def test_normalized_text_can_be_encoded_and_comes_back(text):
    for alphabet in (ENGLISH, GERMAN, Alphabet(tuple("abc"))):
        try:
            normalized = alphabet.normalize(text)
        except UnsupportedTextError:
            continue
        indices = alphabet.encode(normalized)
        assert alphabet.decode(indices) == normalized
        assert alphabet.normalize(normalized) == normalized
        assert "  " not in normalized
        assert normalized == normalized.strip()


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


def test_arpabet_has_39_phonemes_and_the_blank_is_class_39():
    assert len(ARPABET.symbols) == 39
    assert ARPABET.blank_index == 39
    assert ARPABET.size == 40
    assert ARPABET.class_names[-2:] == ("ZH", BLANK_NAME)
    assert list(ARPABET.symbols) == sorted(ARPABET.symbols)


def test_names_become_classes_and_come_back():
    indices = ARPABET.encode(("HH", "AH", "L", "OW"))
    assert indices.dtype == np.int64
    assert ARPABET.decode(indices) == ("HH", "AH", "L", "OW")
    assert ARPABET.encode(()).shape == (0,)


def test_a_phoneme_outside_the_set_is_named():
    with pytest.raises(SpecError, match=r"expected phonemes of AA AE .*, got 'AH0'"):
        ARPABET.encode(("HH", "AH0"))


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ((), "at least one phoneme"),
        (("AA", "A B"), r"without white space, got \['A B'\]"),
        (("AA", ""), r"without white space, got \[''\]"),
        (("AA", "B", "AA"), "different phonemes, got AA B AA"),
    ],
)
def test_sets_that_cannot_be(symbols, message):
    with pytest.raises(SpecError, match=message):
        PhonemeSet(symbols)


@pytest.mark.parametrize("phonemes", [None, ARPABET, PhonemeSet(("X", "Y"))])
def test_a_spec_carries_its_phonemes(phonemes):
    spec = ModelSpec(phonemes=phonemes)
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_a_document_from_before_phonemes_means_none():
    document = json.loads(ModelSpec().to_json())
    del document["phonemes"]
    assert ModelSpec.from_json(json.dumps(document)) == ModelSpec()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["AA"], "here: phonemes"),
        ({"symbols": ["AA", 1]}, r"here: phonemes\.symbols"),
        ({"symbols": ["AA"], "stress": True}, r"here: phonemes\.stress"),
        ({"symbols": []}, "at least one phoneme"),
        ({}, r"here: phonemes\.symbols"),
    ],
)
def test_phonemes_in_a_document_are_as_strict_as_the_rest(value, message):
    document = json.loads(ModelSpec().to_json())
    document["phonemes"] = value
    with pytest.raises(SpecError, match=message):
        ModelSpec.from_json(json.dumps(document), source="here")
