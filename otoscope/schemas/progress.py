"""Events of a transcription in progress; times count from the recording's start."""

from pydantic import Field

from otoscope.schemas.base import Answer, Score, TimeS
from otoscope.schemas.transcription import WordAnswer
from otoscope.written.writer import Written


class ProgressAnswer(Answer):
    """Progress of a recognition."""

    recognized_s: TimeS = Field(
        description="Seconds of audio; with channels=separate and track=all those of all that "
        "were recognized, together.",
        examples=[84.2],
    )


class FinishedAnswer(Answer):
    """Final text of a part of a recording: whole sentences if there is a punctuation model."""

    start_s: TimeS = Field(description="Of its first word.", examples=[0.34])
    end_s: TimeS = Field(description="Of its last word.", examples=[7.1])
    text: str = Field(description="As it was heard.", examples=["hello world"])
    written: str | None = Field(
        description="With capitals, punctuation and numbers; null as that of the result.",
        examples=["Hello world."],
    )
    confidence: Score | None = Field(description="The words' mean.", examples=[0.91])
    words: list[WordAnswer]


def finished_answer(said: Written) -> FinishedAnswer:
    """A finished part of at least one word as an event."""
    words = said.heard.words
    return FinishedAnswer(
        start_s=words[0].start_s,
        end_s=words[-1].end_s,
        text=said.heard.text,
        written=None if said.written is None else said.text,
        confidence=said.heard.confidence,
        words=[WordAnswer.model_validate(word) for word in words],
    )
