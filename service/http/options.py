"""How a caller may have a transcription written."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from otoscope.formats import FORMATS, TRANSCRIPT_FORMATS, Timestamps, TranscriptFormat
from service.errors import FormError
from service.http.negotiation import negotiate


class Layout(NamedTuple):
    """How a transcription is written."""

    response_format: TranscriptFormat
    timestamps: Timestamps


class ResponseOptions(BaseModel):
    """How to write a transcription."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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

    def layout(self, accept: Sequence[str], json_only: Mapping[str, object]) -> Layout:
        """What these options come to.

        Args:
            accept: values of the request's Accept headers.
            json_only: the request's options that need JSON if they are set, by their names.

        Raises:
            NotAcceptableError: if `accept` allows no format.
            FormError: if the format has no place for what is asked for.
        """
        chosen = negotiate(self.response_format, accept, TRANSCRIPT_FORMATS, "response_format")
        for field, value in json_only.items():
            if value and chosen not in ("json", "verbose_json"):
                raise FormError(
                    f"{field}: expected response_format json or verbose_json, which alone have "
                    f"a place for it, got {chosen}",
                    field,
                )
        allowed = FORMATS[chosen].timestamps
        timestamps = self.timestamps or allowed[0]
        if timestamps not in allowed:
            why = "is made of times" if timestamps == "none" else "has no place for characters"
            raise FormError(
                f"timestamps: expected {' or '.join(allowed)} with response_format {chosen}, "
                f"which {why}, got {timestamps}",
                "timestamps",
            )
        return Layout(chosen, timestamps)


class TranscribeOptions(ResponseOptions):
    """What a caller of POST /transcribe may ask for."""

    probs: bool = Field(
        default=False,
        description="Put the matrix that GET /probs gives in the answer (json and verbose_json).",
    )
