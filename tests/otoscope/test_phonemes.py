"""otoscope.vocabulary, and the place of phonemes in a model's spec."""

import json

import numpy as np
import pytest

from otoscope import ARPABET, ModelSpec, PhonemeSet
from otoscope.errors import SpecError
from otoscope.vocabulary import BLANK_NAME


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
