"""The form of POST /v1/audio/transcriptions, and what of it this model can do.

Parameters that would change what OpenAI's models answer are refused where this one can't follow,
never ignored in silence.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from otoscope import ModelSpec
from service.errors import FormError, UnknownModelError
from service.openai_api.languages import language_of

ALIAS = "whisper-1"
"""Means the model that is served, whatever its name: many clients have this one built in."""

REPEATED = ("include", "timestamp_granularities")
"""Fields that may come several times, with "[]" behind their names or without."""


class TranscriptionForm(BaseModel):
    """What OpenAI's API reference lists, as far as a CTC model can do it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description=f"Its id from GET /v1/models, or {ALIAS}.")
    language: str | None = Field(
        default=None, description="ISO 639-1. Refused unless it is the model's own."
    )
    prompt: str = Field(default="", description="Refused: this model takes no hints.")
    # What OpenAI's reference lists, which has no TextGrid.
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


def check(form: TranscriptionForm, spec: ModelSpec) -> None:
    """Refuse what the model can't do, or what goes with another response_format only.

    Raises:
        UnknownModelError: if another model is asked for.
        FormError: naming the field that asks for something else.
    """
    if form.model not in (spec.name, ALIAS):
        raise UnknownModelError(f"model: expected {spec.name!r} or {ALIAS!r}, got {form.model!r}")
    if form.language is not None:
        _check_language(form.language, spec)
    if form.prompt.strip():
        raise FormError(
            "prompt: expected none, because this model takes no hints, got one", "prompt"
        )
    if form.temperature != 0:
        raise FormError(
            f"temperature: expected 0, because nothing is sampled here, got {form.temperature:g}",
            "temperature",
        )
    if form.stream:
        raise FormError(
            "stream: expected false, because answers come in one piece, got true", "stream"
        )
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
            f"language: expected none, because the model {spec.name!r} does not say which "
            f"language it knows, got {language!r}",
            "language",
        )
    if language.lower().partition("-")[0] not in (known.code, known.name):
        raise FormError(
            f"language: expected {known.code!r}, the only one that the model {spec.name!r} knows, "
            f"got {language!r}",
            "language",
        )
