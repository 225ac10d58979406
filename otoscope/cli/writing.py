"""Results -> the bytes of a file."""

import json
import os

from otoscope import formats
from otoscope.alignment import align
from otoscope.cli.backend import Output
from otoscope.cli.files import readable
from otoscope.plots import posteriorgram_png
from otoscope.recognizer import Recognition
from otoscope.schemas import AlignmentAnswer, TranscriptAnswer
from otoscope.schemas.convert import written_words
from otoscope.spoken import spoken
from otoscope.transcript import Character, Word


def write(result: TranscriptAnswer | AlignmentAnswer, form: str, label: str | None) -> Output:
    """A transcription or an alignment, which have characters, in a format of the command.

    Args:
        result: what is written.
        form: json, or one of `otoscope.formats.TextFormat`.
        label: the file's name, if text and JSON have to say it.
    """
    if form == "json":
        name = {} if label is None else {"file": readable(label)}
        absent = {one for one in ("segments", "channels") if getattr(result, one, None) is None}
        fields = {**name, **result.model_dump(mode="json", exclude={"probs", *absent})}
        body = json.dumps(fields, ensure_ascii=False).encode() + b"\n"
        return Output(body, result.duration_s, result.warnings)
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
    return Output(body, result.duration_s, result.warnings)


def write_alignment_png(recognition: Recognition, text: str) -> Output:
    """A recording's posteriorgram with the boundaries of the words of a known text."""
    posteriors = recognition.posteriors
    said = spoken(text, posteriors.alphabet)
    words = align(posteriors, said.text or text).words
    png = posteriorgram_png(recognition.require_features(), posteriors, words=words)
    return Output(png, posteriors.clock.duration_s, said.warnings)
