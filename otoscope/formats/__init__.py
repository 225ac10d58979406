"""The formats that recordings and results are written in, and what each is called elsewhere.

Another subtitle format is a module with its writer, a row of FORMATS, and its name in
`SubtitleFormat`: service, command and OpenAPI document follow from these.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from otoscope.formats.subtitles import srt, vtt
from otoscope.formats.tables import csv_lines
from otoscope.formats.textgrid import textgrid
from otoscope.transcript import Character, Word

MatrixFormat: TypeAlias = Literal["json", "csv", "npy", "png"]
SubtitleFormat: TypeAlias = Literal["srt", "vtt"]
TextFormat: TypeAlias = Literal["text", SubtitleFormat, "textgrid", "csv"]
TranscriptFormat: TypeAlias = Literal["json", "verbose_json", TextFormat]
AlignmentFormat: TypeAlias = Literal["json", "textgrid", SubtitleFormat, "csv", "png"]

MATRIX_FORMATS: tuple[MatrixFormat, ...] = get_args(MatrixFormat)
TRANSCRIPT_FORMATS: tuple[TranscriptFormat, ...] = get_args(TranscriptFormat)
ALIGNMENT_FORMATS: tuple[AlignmentFormat, ...] = get_args(AlignmentFormat)
"""In the order in which a service prefers them where its client has no preference."""

Timestamps: TypeAlias = Literal["none", "word", "char"]
"""What has times in a transcription."""

_Writer: TypeAlias = Callable[[Sequence[Word], Sequence[Character] | None, float], str]


@dataclass(frozen=True)
class FileFormat:
    """A format.

    Attributes:
        media_type: for HTTP.
        suffix: of files.
        write: for formats of words with times, see `write`.
        timestamps: what may have times in a transcription, the default first.
        for_people: shows written text where there is one.
        binary: not for a terminal.
    """

    media_type: str
    suffix: str
    write: _Writer | None = None
    timestamps: tuple[Timestamps, ...] = ("word",)
    for_people: bool = False
    binary: bool = False

    @property
    def is_json(self) -> bool:
        """Whether it has a place for all there is to say."""
        return self.media_type == "application/json"


FORMATS: Mapping[str, FileFormat] = {
    "json": FileFormat("application/json", ".json", timestamps=("word", "char", "none")),
    "verbose_json": FileFormat("application/json", ".json", timestamps=("char", "word")),
    "text": FileFormat(
        *("text/plain", ".txt", lambda words, *_: _text(words), ("word", "none")), for_people=True
    ),
    "srt": FileFormat(
        *("application/x-subrip", ".srt", lambda words, _, end_s: srt(words, end_s)),
        for_people=True,
    ),
    "vtt": FileFormat(
        *("text/vtt", ".vtt", lambda words, _, end_s: vtt(words, end_s)), for_people=True
    ),
    "textgrid": FileFormat("text/plain", ".TextGrid", textgrid, ("word", "char")),
    "csv": FileFormat("text/csv", ".csv", lambda words, *_: _csv(words)),
    "npy": FileFormat("application/x-npy", ".npy", binary=True),
    "png": FileFormat("image/png", ".png", binary=True),
}
"""NumPy's format and Praat's have no registered media type."""


def write(
    form: str,
    words: Sequence[Word],
    characters: Sequence[Character] | None,
    duration_s: float,
    shown: Sequence[Word] | None = None,
) -> bytes:
    """Words with times as a file in UTF-8.

    Args:
        form: a `TextFormat`.
        words: in order, without overlaps, within the recording.
        characters: likewise, for the tier of a textgrid; None for a textgrid without it.
        duration_s: length of the recording.
        shown: the same as formats for people show it; by default as it is.
    """
    writer = FORMATS[form].write
    if writer is None:
        raise ValueError(f"expected one of {', '.join(get_args(TextFormat))}, got {form}")
    told = shown if shown is not None and FORMATS[form].for_people else words
    return writer(told, characters, duration_s).encode()


def _csv(words: Sequence[Word]) -> str:
    """RFC 4180: a header, and a row for each word."""
    rows = [(w.word, f"{w.start_s:.3f}", f"{w.end_s:.3f}", f"{w.confidence:.4f}") for w in words]
    return csv_lines([("word", "start_s", "end_s", "confidence"), *rows]).decode()


def _text(words: Sequence[Word]) -> str:
    """One line; nothing at all where there are no words."""
    return " ".join(word.word for word in words) + "\n" if words else ""
