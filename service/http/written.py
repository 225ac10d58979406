"""Words with times -> a body that is not JSON."""

from collections.abc import Sequence
from typing import Literal

from otoscope import Character, Word
from otoscope.formats import srt, text, textgrid, vtt

FileFormat = Literal["text", "srt", "vtt", "textgrid"]


def write(
    form: FileFormat,
    words: Sequence[Word],
    characters: Sequence[Character] | None,
    duration_s: float,
) -> bytes:
    """A file in UTF-8.

    Args:
        form: the file's format.
        words: in order, without overlaps, within the recording.
        characters: likewise, for the tier of a textgrid; None for a textgrid without it.
        duration_s: length of the recording.
    """
    if form == "text":
        return text(words).encode()
    if form == "textgrid":
        return textgrid(words, characters, duration_s).encode()
    return {"srt": srt, "vtt": vtt}[form](words, duration_s).encode()
