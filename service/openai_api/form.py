"""The form of POST /v1/audio/transcriptions, and what of it this model can do.

Clients send fields as they are, out of habit: what has no effect here is taken, and the response's
header `Otoscope-Warnings` says so. What would make the answer a lie (another language) is refused.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Literal, TypeGuard

from pydantic import BaseModel, ConfigDict, Field

from otoscope import ModelSpec
from otoscope.decoding.options import MOST_HOTWORD_CHARACTERS
from otoscope.errors import UnsupportedTextError
from otoscope.transcript import Style
from otoscope.vocabulary import Alphabet
from service.errors import FormError, UnknownModelError
from service.openai_api.languages import language_of
from service.served_models import ServedModel, ServedModels

ALIASES = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
"""Names that select a served model of another name: many clients have one of these built in."""

REPEATED = ("include", "timestamp_granularities")
"""Fields that may come several times, with "[]" behind their names or without."""

PROMPT_BOOST = 1.0
"""Natural log added for a word of the prompt: enough where the sound leaves a doubt."""

_MOST_PROMPT_WORDS = 200
"""The last ones count, about as many as OpenAI's models read."""

_SHORTEST_PROMPT_WORD = 4
"""Shorter words are said anyway: to expect them more would put them where nobody said them."""

_ANY_LANGUAGE = "auto"
_INDEXED = re.compile(r"(\w+)\[\w*\]")


class TranscriptionForm(BaseModel):
    """What OpenAI's API reference lists, as far as a CTC model can do it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description=f"Its id from GET /v1/models, or {', '.join(ALIASES)}.")
    language: str | None = Field(
        default=None, description="ISO 639-1, or auto. Refused unless it is the model's own."
    )
    prompt: str = Field(
        default="", description="Its words are expected a little more where they could be meant."
    )
    # What OpenAI's reference lists, which has no TextGrid.
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    temperature: float = Field(
        default=0.0, ge=0, le=1, description="Without effect: nothing is sampled."
    )
    timestamp_granularities: tuple[Literal["word", "segment"], ...] = Field(
        default=(), description="For verbose_json; segment if none is given."
    )
    include: tuple[Literal["logprobs"], ...] = Field(
        default=(), description="logprobs, for json: one for each character."
    )
    style: Style | None = Field(
        default=None,
        description="written or verbatim: whether the text has capitals, punctuation and numbers, "
        "or is as heard. By default written if the model has a punctuation model. OpenAI's API has "
        "no such field: its client sends it in extra_body.",
    )
    stream: bool = Field(
        default=False,
        description="Whether sentences come as server-sent events while the rest is recognized; "
        "with response_format json or text.",
    )
    chunking_strategy: str | None = Field(
        default=None, description="Without effect: long recordings are divided as they need it."
    )


def rewrite(name: str, value: object) -> Iterable[tuple[str, object]]:
    """A field as clients send it -> fields as the form has them.

    Empty ones are as if left out. Lists come as `name`, `name[]` or `name[0]`, one item in each, or
    as one value: "word,segment" or a JSON list. Of an object in parts, `chunking_strategy[type]`
    stands for all.
    """
    indexed = _INDEXED.fullmatch(name)
    plain = indexed[1] if indexed else name
    if value == "":
        return ()
    if plain in REPEATED and isinstance(value, str):
        return ((plain, item) for item in _items(value))
    if plain == "chunking_strategy" and indexed:
        return ((plain, value),) if name.endswith("[type]") else ()
    return ((name, value),)


def _items(value: str) -> list[str]:
    if value.startswith("["):
        try:
            return [str(item) for item in json.loads(value)]
        except (ValueError, RecursionError):
            return [value]
    return [item.strip() for item in value.split(",")]


def check(form: TranscriptionForm, spec: ModelSpec) -> None:
    """Refuse what the model can't do, or what goes with another response_format only.

    Raises:
        FormError: naming the field that asks for something else.
    """
    if _is_given(form.language):
        check_language(form.language, spec)
    if form.stream and form.response_format not in ("json", "text"):
        raise FormError(
            "stream: expected false unless response_format is json or text, got "
            f"response_format {form.response_format}",
            "stream",
        )
    for field, wanted in (("include", "json"), ("timestamp_granularities", "verbose_json")):
        if getattr(form, field) and form.response_format != wanted:
            raise FormError(
                f"{field}: expected none unless response_format is {wanted}, "
                f"got response_format {form.response_format}",
                field,
            )


def meant(
    name: str, language: str | None, models: ServedModels, aliases: Sequence[str] = ALIASES
) -> ServedModel:
    """The model of this name; for an alias the first that supports the language, else the default.

    Raises:
        UnknownModelError: if there is neither a model nor an alias of this name.
    """
    if (model := models.find(name)) is not None:
        return model
    if name not in aliases:
        known = ", ".join(map(repr, (*models.names, *aliases)))
        raise UnknownModelError(f"model: expected one of {known}, got {name!r:.200}")
    matching = (one for one in models if _is_given(language) and _knows(one, language))
    return next(matching, models.default)


def _is_given(language: str | None) -> TypeGuard[str]:
    return language is not None and language.lower() != _ANY_LANGUAGE


def _knows(model: ServedModel, language: str) -> bool:
    known = language_of(model.recognizer.spec)
    return known is not None and language.lower().partition("-")[0] in (known.code, known.name)


def without_effect(form: TranscriptionForm, alphabet: Alphabet) -> tuple[str, ...]:
    """What was sent and changes nothing here, a line for each."""
    lines = []
    if form.temperature != 0:
        lines.append(f"temperature {form.temperature:g} has no effect: nothing is sampled")
    if form.chunking_strategy not in (None, "auto"):
        lines.append("chunking_strategy has no effect: recordings are divided as they need it")
    if form.prompt.strip() and not prompt_hotwords(form.prompt, alphabet):
        lines.append(
            f"prompt has no effect: words of {_SHORTEST_PROMPT_WORD} letters or more are expected"
        )
    return tuple(lines)


def prompt_hotwords(prompt: str, alphabet: Alphabet) -> dict[str, float]:
    """Words of a prompt as weak hot words; those that the alphabet can't write are passed over."""
    if " " not in alphabet.symbols:
        return {}
    words: list[str] = []
    for written in prompt.split():
        try:
            words += alphabet.normalize(written).split()
        except UnsupportedTextError:
            continue
    last = words[-_MOST_PROMPT_WORDS:]
    fitting = range(_SHORTEST_PROMPT_WORD, MOST_HOTWORD_CHARACTERS // _MOST_PROMPT_WORDS + 1)
    return {word: PROMPT_BOOST for word in last if len(word) in fitting}


def check_language(language: str, spec: ModelSpec) -> None:
    """FormError unless the model knows that language."""
    known = language_of(spec)
    if known is None:
        raise FormError(
            f"language: expected none, because the model {spec.name!r} does not say which "
            f"language it knows, got {language!r:.200}",
            "language",
        )
    if language.lower().partition("-")[0] not in (known.code, known.name):
        raise FormError(
            f"language: expected {known.code!r}, the only one that the model {spec.name!r} knows, "
            f"got {language!r:.200}",
            "language",
        )
