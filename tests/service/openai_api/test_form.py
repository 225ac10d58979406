from dataclasses import replace

import pytest

from otoscope import ModelSpec
from otoscope.vocabulary import ENGLISH, Alphabet
from service.errors import FormError
from service.http.forms import read_options
from service.openai_api.form import (
    PROMPT_BOOST,
    REPEATED,
    TranscriptionForm,
    check,
    prompt_hotwords,
    rewrite,
    without_effect,
)
from service.openai_api.languages import language_of

SPEC = ModelSpec(name="english")


def form(**chosen):
    return TranscriptionForm(**{"model": "english", **chosen})


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        *({"model": each} for each in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")),
        *({"language": each} for each in ("en", "EN", "en-GB", "english", "English", "auto")),
        {"prompt": "Umlauts, please."},
        *({"temperature": each} for each in (0, 0.2, 1)),
        {"stream": False, "chunking_strategy": "auto"},
        {"include": ("logprobs",), "response_format": "json"},
        {"timestamp_granularities": ("word", "segment"), "response_format": "verbose_json"},
    ],
)
def test_what_is_harmless_is_taken(chosen):
    check(form(**chosen), SPEC)


@pytest.mark.parametrize(
    ("chosen", "param", "words"),
    [
        ({"language": "de"}, "language", "expected 'en', .* got 'de'"),
        ({"stream": True, "response_format": "vtt"}, "stream", "json or text"),
        ({"include": ("logprobs",), "response_format": "text"}, "include", "format text"),
        ({"timestamp_granularities": ("word",)}, "timestamp_granularities", "verbose_json, got"),
    ],
)
def test_what_would_be_a_lie_is_refused(chosen, param, words):
    with pytest.raises(FormError, match=words) as refused:
        check(form(**chosen), SPEC)
    assert refused.value.param == param


@pytest.mark.parametrize("value", ["[" * 100_000, "[" * 900 + "]" * 900, "[1", '["other"]'])
def test_lists_that_are_none_are_wrong_values(value):
    with pytest.raises(FormError, match="include"):
        read_options(
            [("model", "english"), *rewrite("include", value)], TranscriptionForm, repeated=REPEATED
        )


def test_no_language_is_right_for_a_model_that_does_not_name_its_own():
    with pytest.raises(FormError, match="'tiny' does not say which language"):
        check(form(model="tiny", language="en"), replace(SPEC, name="tiny"))


@pytest.mark.parametrize(
    ("name", "code"),
    [("english", "en"), ("English-phonemes", "en"), ("small_german_2", "de"), ("englishish", None)],
)
def test_language_of_a_models_name(name, code):
    language = language_of(replace(SPEC, name=name))
    assert (language and language.code) == code


def test_the_language_that_a_model_tells_goes_before_its_name():
    assert language_of(replace(SPEC, name="english", language="de")).code == "de"
    assert language_of(replace(SPEC, name="x", language="gsw")).name == "gsw"


def received(*fields):
    meant = [each for field in fields for each in rewrite(*field)]
    return read_options(meant, TranscriptionForm, repeated=REPEATED)


@pytest.mark.parametrize(
    "fields",
    [
        [("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")],
        [("timestamp_granularities", "word"), ("timestamp_granularities", "segment")],
        [("timestamp_granularities[0]", "word"), ("timestamp_granularities[1]", "segment")],
        [("timestamp_granularities", "word,segment")],
        [("timestamp_granularities[]", "word, segment")],
        [("timestamp_granularities", '["word", "segment"]')],
    ],
)
def test_lists_in_any_spelling(fields):
    assert received(("model", "x"), *fields).timestamp_granularities == ("word", "segment")


def test_items_of_a_list_are_checked():
    for value in ("sentence", "word,", '["word"', '[["word"]]'):
        with pytest.raises(FormError) as refused:
            received(("model", "x"), ("timestamp_granularities", value))
        assert refused.value.param == "timestamp_granularities"


OPTIONAL = set(TranscriptionForm.model_fields) - {"model"}


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_empty_option_is_as_if_left_out(name):
    assert received(("model", "x"), (name, "")) == form(model="x")


def test_an_empty_file_field_and_unknown_ones_are_no_options():
    with pytest.raises(FormError, match="best_of"):
        received(("model", "x"), ("best_of", "5"))
    with pytest.raises(FormError, match="two"):
        received(("model", "x"), ("language", "en"), ("language", "de"))


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "warm", "1.5"])
def test_a_temperature_that_is_none_is_refused(value):
    with pytest.raises(FormError, match="temperature"):
        received(("model", "x"), ("temperature", value))


def test_a_strategy_in_parts_is_one():
    parts = (("chunking_strategy[type]", "server_vad"), ("chunking_strategy", "auto"))
    for part in parts:
        assert received(("model", "x"), part).chunking_strategy == part[1]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({}, ()),
        ({"temperature": 0.0, "chunking_strategy": "auto", "prompt": "Umlauts"}, ()),
        ({"temperature": 0.2}, ("temperature 0.2 has no effect",)),
        ({"chunking_strategy": "server_vad"}, ("chunking_strategy has no effect",)),
        ({"prompt": "so, 5 %"}, ("prompt has no effect",)),
    ],
)
def test_what_has_no_effect_is_said(chosen, words):
    lines = without_effect(form(**chosen), ENGLISH)
    assert len(lines) == len(words)
    assert all(line.startswith(start) for line, start in zip(lines, words, strict=True))


def test_words_of_a_prompt_are_weak_hot_words():
    words = prompt_hotwords("Dr. Nguyễn, and the Otoscope's 42 lenses, 東京 - the lenses!", ENGLISH)
    assert words == dict.fromkeys(("nguyen", "otoscope's", "lenses"), PROMPT_BOOST)
    assert prompt_hotwords("otoscope", Alphabet(tuple("abc"))) == {}
    assert list(prompt_hotwords(f"otoscope {'a' * 1001}", ENGLISH)) == ["otoscope"]
    many = prompt_hotwords(" ".join(["early", *["often"] * 150, *["later"] * 150]), ENGLISH)
    assert set(many) == {"often", "later"}
