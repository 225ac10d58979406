"""The form of POST /v1/audio/transcriptions: read, and checked against what this model can do.

Parameters that would change what OpenAI's models answer are refused where this one can't follow: an
answer must not pretend that it was asked something else.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from otoscope import ModelSpec
from service.errors import FormError, UnknownModelError, describe
from service.http.forms import FILE_FIELD, MAX_PARTS, content_type, one_file
from service.openai_api.languages import language_of

ALIAS = "whisper-1"
"""Stands for the model that is served, whatever its name: many clients have this one built in."""

_LISTS = ("include", "timestamp_granularities")
"""Fields that may come several times, with "[]" behind their names or without."""


class TranscriptionForm(BaseModel):
    """What OpenAI's API reference lists, as far as a CTC model can do it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description=f"Its id from GET /v1/models, or {ALIAS}.")
    language: str | None = Field(
        default=None, description="ISO 639-1. Refused unless it is the model's own."
    )
    prompt: str = Field(default="", description="Refused: this model takes no hints.")
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    temperature: float = Field(default=0.0, description="Refused unless 0: nothing is sampled.")
    timestamp_granularities: tuple[Literal["word", "segment"], ...] = Field(
        default=(), description="For verbose_json; segment if none is given."
    )
    include: tuple[Literal["logprobs"], ...] = Field(
        default=(), description="logprobs, for json: one for each character."
    )
    stream: bool = Field(default=False, description="Refused if true.")
    chunking_strategy: Literal["auto"] | None = Field(
        default=None, description="auto leaves the choice to the server, as does none."
    )


@dataclass(frozen=True)
class Order:
    """One file, not yet read, and what is wanted of it."""

    file: BinaryIO
    form: TranscriptionForm


@asynccontextmanager
async def read_order(request: Request, spec: ModelSpec) -> AsyncIterator[Order]:
    """Receive the form of `request`; its file is closed in the end.

    Raises:
        FormError: naming the field that is unknown, missing, doubled, wrong or beyond the model.
        UnknownModelError: if another model is asked for.
        UploadTooLargeError, UploadStalledError: as `BodyLimit` says.
    """
    async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS) as received:
        fields = received.multi_items()
        form = _validate(
            [*request.query_params.multi_items(), *(f for f in fields if f[0] != FILE_FIELD)]
        )
        check(form, spec)
        files = [value for name, value in fields if name == FILE_FIELD]
        yield Order(one_file(files, content_type(request)), form)


def check(form: TranscriptionForm, spec: ModelSpec) -> None:
    """Refuse what the model can't do, or what goes with another response_format only."""
    if form.model not in (spec.name, ALIAS):
        raise UnknownModelError(f"model: expected {spec.name!r} or {ALIAS!r}, got {form.model!r}")
    if form.language is not None:
        _check_language(form.language, spec)
    if form.prompt.strip():
        raise FormError("prompt: expected none, for this model takes no hints, got one", "prompt")
    if form.temperature != 0:
        raise FormError(
            f"temperature: expected 0, for nothing is sampled here, got {form.temperature:g}",
            "temperature",
        )
    if form.stream:
        raise FormError("stream: expected false, for answers come in one piece, got true", "stream")
    for field, wanted in (("include", "json"), ("timestamp_granularities", "verbose_json")):
        if getattr(form, field) and form.response_format != wanted:
            raise FormError(
                f"{field}: expected none unless response_format is {wanted}, "
                f"got response_format {form.response_format}",
                field,
            )


def _check_language(language: str, spec: ModelSpec) -> None:
    known = language_of(spec.name)
    if known is None:
        raise FormError(
            f"language: expected none, for the model {spec.name!r} does not say which language it "
            f"knows, got {language!r}",
            "language",
        )
    if language.lower().partition("-")[0] not in (known.code, known.name):
        raise FormError(
            f"language: expected {known.code!r}, the only one that the model {spec.name!r} knows, "
            f"got {language!r}",
            "language",
        )


def _validate(fields: Iterable[tuple[str, object]]) -> TranscriptionForm:
    values = _collect(fields)
    try:
        return TranscriptionForm.model_validate(values)
    except ValidationError as error:
        problems = error.errors()
        raise FormError("; ".join(describe(problems)), str(problems[0]["loc"][0])) from None


def _collect(fields: Iterable[tuple[str, object]]) -> dict[str, object]:
    known = TranscriptionForm.model_fields
    lists: dict[str, list[object]] = {}
    values: dict[str, object] = {}
    for full_name, value in fields:
        name = full_name.removesuffix("[]")
        if name not in known:
            raise FormError(
                f"expected the fields {FILE_FIELD}, {', '.join(known)}, got {full_name!r}",
                full_name,
            )
        if name in _LISTS:
            lists.setdefault(name, []).append(value)
        elif name in values:
            raise FormError(f"{name}: expected one value, got two", name)
        else:
            values[name] = value
    return {**values, **lists}
