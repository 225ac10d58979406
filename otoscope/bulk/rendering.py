"""Transcriptions and alignments as the bytes of a file."""

import json
import os

from otoscope import formats
from otoscope.schemas import AlignmentAnswer, TranscriptAnswer
from otoscope.schemas.convert import written_words
from otoscope.transcript import Character, Word


def render(result: TranscriptAnswer | AlignmentAnswer, form: str, label: str | None) -> bytes:
    """The output for one recording.

    Args:
        result: with characters.
        form: json (one line), or one of `otoscope.formats.TextFormat`.
        label: the file's name, to be included in text and JSON; None for none.
    """
    if form == "json":
        name = {} if label is None else {"file": readable(label)}
        absent = {one for one in ("segments", "channels") if getattr(result, one, None) is None}
        fields = {**name, **result.model_dump(mode="json", exclude={"probs", *absent})}
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"
    words = [Word(each.word, each.start_s, each.end_s, each.confidence) for each in result.words]
    characters = [
        Character(each.character, each.start_s, each.end_s, each.confidence)
        for word in result.words
        for each in word.characters or ()
    ]
    shown = written_words(result, words) if isinstance(result, TranscriptAnswer) else None
    body = formats.write(form, words, characters, result.duration_s, shown)
    if form == "text" and label is not None:
        body = os.fsencode(f"{label}: ") + (body or b"\n")
    return body


def readable(name: str) -> str:
    """A file's name in Unicode, for JSON and for people: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode(errors="replace")
