"""Results -> the bytes of a file, in the format that was asked for."""

import json

from otoscope import formats
from otoscope.alignment import align
from otoscope.cli.backend import Output
from otoscope.plots import posteriorgram_png
from otoscope.recognizer import Recognition
from otoscope.schemas import AlignmentAnswer, TranscriptAnswer
from otoscope.transcript import Character, Word


def transcript(answer: TranscriptAnswer, form: str, named: str | None) -> Output:
    """A transcription in a format.

    Args:
        answer: with the characters of its words.
        form: one of TRANSCRIPT_FORMATS.
        named: the file's name where text and JSON have to say it.
    """
    body = _write(answer, form, named)
    if form == "text" and named is not None:
        body = f"{named}: ".encode() + (body or b"\n")
    return Output(body, answer.duration_s, answer.warnings)


def alignment(answer: AlignmentAnswer, form: str, named: str | None) -> Output:
    """An alignment in one of ALIGNMENT_FORMATS but png; `named` as in `transcript`."""
    return Output(_write(answer, form, named), answer.duration_s, answer.warnings)


def alignment_png(recognition: Recognition, text: str) -> Output:
    """A recording's posteriorgram with the boundaries of the words of a known text."""
    posteriors = recognition.posteriors
    words = align(posteriors, text).words
    png = posteriorgram_png(recognition.require_features(), posteriors, words=words)
    return Output(png, posteriors.clock.duration_s)


def _write(answer: TranscriptAnswer | AlignmentAnswer, form: str, named: str | None) -> bytes:
    if form == "json":
        name = {} if named is None else {"file": named}
        fields = {**name, **answer.model_dump(mode="json", exclude={"probs"})}
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"
    words = [Word(each.word, each.start_s, each.end_s, each.confidence) for each in answer.words]
    characters = [
        Character(each.character, each.start_s, each.end_s, each.confidence)
        for word in answer.words
        for each in word.characters or ()
    ]
    return formats.write(form, words, characters, answer.duration_s)
