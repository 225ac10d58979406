"""How a caller may have a recording decoded, and its transcription written."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, Field

from otoscope.audio import Choice
from otoscope.decoding.options import DecodingOptions
from otoscope.formats import FORMATS, TRANSCRIPT_FORMATS, Timestamps, TranscriptFormat
from otoscope.transcript import Style
from service.errors import FormError
from service.http.negotiation import EVENT_STREAM, negotiate

MODEL_DESCRIBED = "Name of the model, of those that GET /model lists; by default the first."


class Layout(NamedTuple):
    """A format, and what has times in it."""

    response_format: TranscriptFormat
    timestamps: Timestamps


class ReadingOptions(DecodingOptions):
    """How to decode posteriors, and write what was said."""

    json_only: ClassVar[tuple[str, ...]] = ("n_best",)
    """Options that other formats have no place for."""

    beside_formats: ClassVar[tuple[str, ...]] = ()
    """Media types that Accept chooses, beside those of formats."""

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

    style: Style | None = Field(
        default=None,
        description="written gives text, subtitles and segments capitals, punctuation and numbers, "
        "and json has `written`; verbatim leaves all as heard, as `text`, `words`, hypotheses, "
        "phrases, textgrid and csv always are. By default written if there is a punctuation model "
        "(GET /model); if it is asked for and there is none, a warning says so.",
    )

    @property
    def decoding(self) -> DecodingOptions:
        """The decoder's share, without what is only known here: decode workers are sent it."""
        fields = DecodingOptions.model_fields
        return DecodingOptions.model_validate({name: getattr(self, name) for name in fields})

    def layout(self, accept: Sequence[str]) -> Layout:
        """What these options come to.

        Args:
            accept: values of the request's Accept headers.

        Raises:
            NotAcceptableError: if `accept` allows no format.
            FormError: if the format has no place for what is asked for.
        """
        chosen = negotiate(
            self.response_format,
            accept,
            TRANSCRIPT_FORMATS,
            "response_format",
            self.beside_formats,
        )
        for field in self.json_only:
            if getattr(self, field) and not FORMATS[chosen].is_json:
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

    def event_layout(self) -> Layout:
        """`layout` of an answer in server-sent events, the last of which is JSON."""
        layout = self.layout(())
        if not FORMATS[layout.response_format].is_json:
            raise FormError(
                f"response_format: expected json or verbose_json with Accept: {EVENT_STREAM}, "
                f"got {layout.response_format}",
                "response_format",
            )
        return layout


_OF_ONE = ("channel", "probs", "n_best", "phrases")
"""Options that make no sense where each channel or track is transcribed by itself."""

_MOST_SOUNDS = 255

_Number = Annotated[int, Field(ge=1, le=_MOST_SOUNDS)]


def _number_or_all(value: str | int | None) -> str | int | None:
    """In one line what a union of types would say in two."""
    if value in (None, "all"):
        return value
    if not str(value).isdecimal() or not 1 <= int(value) <= _MOST_SOUNDS:
        raise ValueError(f"expected a number from 1 to {_MOST_SOUNDS} or all, got {value!r:.80}")
    return int(value)


class SoundOptions(BaseModel):
    """Which track and channel of a file is meant, and which model recognizes it."""

    model: str | None = Field(default=None, description=MODEL_DESCRIBED)
    track: Annotated[_Number | Literal["all"] | None, BeforeValidator(_number_or_all)] = Field(
        default=None,
        description="Number of the audio track, from 1. By default the one that a player chooses: "
        "the default, else the first that can be decoded. all transcribes each by itself, at most "
        "8: `tracks` has them, `text` and `words` are theirs by time. For json, without channel, "
        "channels, probs, n_best and phrases.",
    )
    channel: _Number | None = Field(
        default=None,
        description="Number of the channel, from 1: of a call with a party on each, for instance. "
        "By default all are mixed.",
    )

    @property
    def choice(self) -> Choice:
        """The same for the decoder."""
        return Choice(self.track if isinstance(self.track, int) else 0, self.channel or 0)


class OneSoundOptions(SoundOptions):
    """Which one of a file's sounds is meant."""

    track: _Number | None = Field(
        default=None,
        description="Number of the audio track, from 1. By default the one that a player chooses: "
        "the default, else the first that can be decoded.",
    )


class TranscribeOptions(ReadingOptions, SoundOptions):
    """What a caller of POST /transcribe may ask for."""

    json_only = ("probs", "n_best")
    beside_formats = (EVENT_STREAM,)

    probs: bool = Field(
        default=False,
        description="Put the matrix that GET /probs gives in the answer (json and verbose_json).",
    )
    channels: Literal["separate"] | None = Field(
        default=None,
        description="separate transcribes each channel by itself, at most 8, as of a call with a "
        "party on each: `channels` has them, `text` and `words` are theirs by time. For json, "
        "without channel, probs, n_best and phrases. By default channels are mixed.",
    )

    def layout(self, accept: Sequence[str]) -> Layout:
        """As of `ReadingOptions`; FormError also if several transcripts have no place."""
        layout = super().layout(accept)
        if self.track == "all":
            self._check_several("track", "all", ("channels", *_OF_ONE), layout)
        elif self.channels is not None:
            self._check_several("channels", self.channels, _OF_ONE, layout)
        return layout

    def _check_several(
        self, option: str, wanted: str, of_one: Sequence[str], layout: Layout
    ) -> None:
        """FormError naming what is only for one transcript."""
        for field in of_one:
            if value := getattr(self, field):
                raise FormError(
                    f"{field}: expected none with {option}={wanted}, got {value!r:.80}", field
                )
        if layout.response_format != "json":
            raise FormError(
                f"{option}: expected response_format json, which alone has a place for separate "
                f"ones, got {layout.response_format}",
                option,
            )
