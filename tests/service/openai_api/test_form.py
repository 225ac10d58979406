from dataclasses import replace

import pytest

from otoscope import ModelSpec
from service.errors import FormError, UnknownModelError
from service.openai_api.form import TranscriptionForm, check
from service.openai_api.languages import language_of

SPEC = ModelSpec(name="english")


def form(**chosen):
    return TranscriptionForm(**{"model": "english", **chosen})


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"model": "whisper-1"},
        *({"language": each} for each in ("en", "EN", "en-GB", "english", "English")),
        {"prompt": " "},
        {"temperature": 0},
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
        ({"language": ""}, "language", "got ''"),
        ({"prompt": "Umlauts, please."}, "prompt", "no hints"),
        ({"temperature": 0.2}, "temperature", r"expected 0, .* got 0\.2"),
        ({"temperature": float("nan")}, "temperature", "got nan"),
        ({"stream": True}, "stream", "one piece"),
        ({"include": ("logprobs",), "response_format": "text"}, "include", "format text"),
        ({"timestamp_granularities": ("word",)}, "timestamp_granularities", "verbose_json, got"),
    ],
)
def test_what_would_be_a_lie_is_refused(chosen, param, words):
    with pytest.raises(FormError, match=words) as refused:
        check(form(**chosen), SPEC)
    assert refused.value.param == param


def test_another_model_is_unknown():
    with pytest.raises(UnknownModelError, match="expected 'english' or 'whisper-1', got 'gpt'"):
        check(form(model="gpt"), SPEC)


def test_no_language_is_right_for_a_model_that_does_not_name_its_own():
    with pytest.raises(FormError, match="'tiny' does not say which language"):
        check(form(model="tiny", language="en"), replace(SPEC, name="tiny"))


@pytest.mark.parametrize(
    ("name", "code"),
    [("english", "en"), ("English-phonemes", "en"), ("small_german_2", "de"), ("englishish", None)],
)
def test_language_of_a_models_name(name, code):
    language = language_of(name)
    assert (language and language.code) == code
