"""What a caller of POST /transcribe may ask for."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from service.errors import FormError
from service.negotiation import TranscriptFormat
from service.upload import FormOptions

DEFAULT_BOOST = 5.0
MOST_HOTWORDS = 1000
MOST_PHRASES = 1000

Timestamps = Literal["none", "word", "char"]
"""What has its times in an answer."""

_TIMESTAMPS: Mapping[TranscriptFormat, tuple[Timestamps, ...]] = {
    "json": ("word", "char", "none"),
    "verbose_json": ("char", "word"),
    "text": ("word", "none"),
    "srt": ("word",),
    "vtt": ("word",),
    "textgrid": ("word", "char"),
}
"""What each format allows, the default first; in plain text all of them look the same."""


def _hotwords(value: object) -> object:
    """'new york:8, otoscope' -> {"new york": 8.0, "otoscope": DEFAULT_BOOST}."""
    if not isinstance(value, str):
        return value
    boosts: dict[str, float] = {}
    for item in _items(value):
        phrase, colon, boost = item.rpartition(":")
        try:
            boosts[phrase.strip() if colon else item] = float(boost) if colon else DEFAULT_BOOST
        except ValueError:
            raise ValueError(f"expected word or word:boost, got {item!r}") from None
    return boosts


def _phrases(value: object) -> object:
    return tuple(_items(value)) if isinstance(value, str) else value


def _items(value: str) -> list[str]:
    """Parts of a list with commas or line breaks between."""
    return [part for item in value.replace("\n", ",").split(",") if (part := item.strip())]


class TranscribeOptions(FormOptions):
    """How to read the posteriors, and how to answer."""

    response_format: TranscriptFormat | None = Field(
        default=None,
        description="json; verbose_json, which has the characters of words and the segments that "
        "subtitles would show, too; plain text; subtitles; or Praat's TextGrid. Wins over the "
        "Accept header; by default the latter chooses, and json if it has no wish.",
    )
    timestamps: Timestamps | None = Field(
        default=None,
        description="word gives each word its times, char each character of it as well, none "
        "leaves `words` empty. By default char for verbose_json, else word. Subtitles need word, "
        "verbose_json and textgrid word or char.",
    )
    probs: bool = Field(
        default=False,
        description="Put the matrix that GET /probs gives in the answer (json and verbose_json).",
    )
    decoder: Literal["greedy", "beam"] | None = Field(
        default=None,
        description="greedy reads the best path; beam searches for the best text, with a language "
        "model if there is one. By default beam if there is one, else greedy.",
    )
    beam_width: int | None = Field(
        default=None, ge=1, le=2000, description="Texts that a beam search keeps at every frame."
    )
    lm_weight: float | None = Field(
        default=None, ge=0, le=10, description="Weight of the language model in a beam search."
    )
    word_bonus: float | None = Field(
        default=None, ge=-20, le=20, description="Added to a text's score for each of its words."
    )
    n_best: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="Hypotheses of a beam search to answer with (json and verbose_json).",
    )
    hotwords: Annotated[dict[str, float], BeforeValidator(_hotwords)] = Field(
        default={},
        max_length=MOST_HOTWORDS,
        description="Words and phrases that are expected, with commas or line breaks between, each "
        f"with an optional boost after a colon (natural log, by default {DEFAULT_BOOST:g}).",
        json_schema_extra={
            "type": "string",
            "examples": ["otoscope:8, new york"],
            "additionalProperties": None,
        },
    )
    phrases: Annotated[tuple[str, ...], BeforeValidator(_phrases)] = Field(
        default=(),
        max_length=MOST_PHRASES,
        description="A closed list, with commas or line breaks between: the answer is the phrase "
        "that was most probably said, with a probability for each.",
        json_schema_extra={"type": "string", "examples": ["yes, no, stop"], "items": None},
    )

    def timestamps_in(self, form: TranscriptFormat) -> Timestamps:
        """What has its times in an answer of this format.

        Raises:
            FormError: if the format has no place for what is asked for.
        """
        for field in ("probs", "n_best"):
            if getattr(self, field) and form not in ("json", "verbose_json"):
                raise FormError(
                    f"{field}: expected response_format json or verbose_json, which alone have "
                    f"a place for it, got {form}",
                    field,
                )
        allowed = _TIMESTAMPS[form]
        chosen = self.timestamps or allowed[0]
        if chosen not in allowed:
            why = "is made of times" if chosen == "none" else "has no place for characters"
            raise FormError(
                f"timestamps: expected {' or '.join(allowed)} with response_format {form}, "
                f"which {why}, got {chosen}",
                "timestamps",
            )
        return chosen
