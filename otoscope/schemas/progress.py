"""What is told of a recording while it is recognized; times count from its start."""

from pydantic import Field

from otoscope.schemas.base import Answer, Score, TimeS
from otoscope.schemas.transcription import WordAnswer
from otoscope.written.writer import Written


class ProgressAnswer(Answer):
    """How far a recording is recognized."""

    recognized_s: TimeS = Field(
        description="Seconds of audio; with channels=separate and track=all those of all that "
        "were recognized, together.",
        examples=[84.2],
    )


class FinishedAnswer(Answer):
    """What was said in some of a recording: whole sentences where there is a punctuation model."""

    start_s: TimeS = Field(description="Of its first word.", examples=[0.34])
    end_s: TimeS = Field(description="Of its last word.", examples=[7.1])
    text: str = Field(description="As it was heard.", examples=["hello world"])
    written: str | None = Field(
        description="The same as people write; null as that of the result.",
        examples=["Hello world."],
    )
    confidence: Score | None = Field(description="The words' mean.", examples=[0.91])
    words: list[WordAnswer]


def finished_answer(said: Written) -> FinishedAnswer:
    """Some words, one at least, as they are told."""
    words = said.heard.words
    return FinishedAnswer(
        start_s=words[0].start_s,
        end_s=words[-1].end_s,
        text=said.heard.text,
        written=None if said.written is None else said.text,
        confidence=said.heard.confidence,
        words=[WordAnswer.model_validate(word) for word in words],
    )
