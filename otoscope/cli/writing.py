"""Documents -> files: text, JSON, subtitles, TextGrids and pictures."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from otoscope import formats as writers
from otoscope.alignment import align
from otoscope.cli.backend import Output
from otoscope.recognizer import Recognition
from otoscope.schemas import (
    AlignedWordAnswer,
    AlignmentAnswer,
    SpelledWordAnswer,
    TranscriptAnswer,
    WordAnswer,
)
from otoscope.transcript import Character, Word


def transcript(answer: TranscriptAnswer, form: str, named: str | None) -> Output:
    """A transcription in a format.

    Args:
        answer: with the characters of its words.
        form: one of TRANSCRIPT_FORMATS.
        named: the file's name where text and JSON have to say it.
    """
    words = _words(answer.words)
    if form == "text":
        prefix = "" if named is None else f"{named}: "
        body = prefix + (writers.text(words) or ("\n" if named else ""))
    elif form == "json":
        body = _json(answer, named)
    else:
        body = _timed(form, words, _characters(answer.words), answer.duration_s)
    return Output(body.encode(), answer.duration_s, answer.warnings)


def alignment(answer: AlignmentAnswer, form: str, named: str | None) -> Output:
    """An alignment in one of ALIGNMENT_FORMATS but png; `named` as in `transcript`."""
    if form == "json":
        body = _json(answer, named)
    else:
        words = _words(answer.words)
        body = _timed(form, words, _characters(answer.words), answer.duration_s)
    return Output(body.encode(), answer.duration_s, answer.warnings)


def alignment_png(recognition: Recognition, text: str) -> Output:
    """A recognition, with the boundaries of the words of a known text."""
    from otoscope import plots  # noqa: PLC0415 - matplotlib takes half a second to load

    words = align(recognition.posteriors, text).words
    figure = plots.draw_posteriorgram(
        recognition.require_features(), recognition.posteriors, words=words
    )
    return Output(plots.to_png(figure), recognition.posteriors.clock.duration_s)


def _timed(
    form: str, words: Sequence[Word], characters: Sequence[Character], duration_s: float
) -> str:
    if form == "textgrid":
        return writers.textgrid(words, characters, duration_s)
    return {"srt": writers.srt, "vtt": writers.vtt}[form](words, duration_s)


def _words(answers: Sequence[WordAnswer]) -> list[Word]:
    return [Word(each.word, each.start_s, each.end_s, each.confidence) for each in answers]


def _characters(answers: Sequence[SpelledWordAnswer | AlignedWordAnswer]) -> list[Character]:
    return [
        Character(each.character, each.start_s, each.end_s, each.confidence)
        for word in answers
        for each in word.characters or ()
    ]


def _json(answer: BaseModel, named: str | None) -> str:
    """One line."""
    fields: dict[str, Any] = answer.model_dump(mode="json", exclude={"probs"})
    if named is not None:
        fields = {"file": named, **fields}
    return json.dumps(fields, ensure_ascii=False) + "\n"
