"""How a caller may have a recording read and written down."""

from pydantic import Field

from otoscope.decoding.options import DecodingOptions
from otoscope.formats import FORMATS, Timestamps, TranscriptFormat
from service.errors import FormError
from service.http.forms import FormOptions


class ReadingOptions(FormOptions, DecodingOptions):
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

    def timestamps_in(self, form: TranscriptFormat) -> Timestamps:
        """What has its times in an answer of this format.

        Raises:
            FormError: if the format has no place for what is asked for.
        """
        for field in ("probs", "n_best"):
            if getattr(self, field, None) and form not in ("json", "verbose_json"):
                raise FormError(
                    f"{field}: expected response_format json or verbose_json, which alone have "
                    f"a place for it, got {form}",
                    field,
                )
        allowed = FORMATS[form].timestamps
        chosen = self.timestamps or allowed[0]
        if chosen not in allowed:
            why = "is made of times" if chosen == "none" else "has no place for characters"
            raise FormError(
                f"timestamps: expected {' or '.join(allowed)} with response_format {form}, "
                f"which {why}, got {chosen}",
                "timestamps",
            )
        return chosen


class TranscribeOptions(ReadingOptions):
    """What a caller of POST /transcribe may ask for."""

    probs: bool = Field(
        default=False,
        description="Put the matrix that GET /probs gives in the answer (json and verbose_json).",
    )
