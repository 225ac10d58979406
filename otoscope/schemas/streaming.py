"""JSON messages of a live stream. Times count in seconds from its start."""

from typing import Any, Literal, TypeAlias

from pydantic import Field

from otoscope.formats.posteriors import probs_document, select
from otoscope.formats.tables import to_json
from otoscope.posteriors import Posteriors
from otoscope.schemas.base import Answer, Score, TimeS
from otoscope.schemas.transcription import WordAnswer, WrittenTokenAnswer
from otoscope.streaming import Event, Final, Frames, Partial, SpeechStarted


class SpeechStartedMessage(Answer):
    """An utterance has begun."""

    type: Literal["speech_started"] = "speech_started"
    utterance: int = Field(description="Its number, from 0.")
    start_s: TimeS


class PartialMessage(Answer):
    """An utterance so far."""

    type: Literal["partial"] = "partial"
    utterance: int
    text: str
    confirmed: int = Field(description="So many of the first words stay as they are.")
    words: list[WordAnswer]


class FinalMessage(Answer):
    """An utterance that has ended; words that were confirmed are its first."""

    type: Literal["final"] = "final"
    utterance: int
    text: str = Field(description="As it was heard.")
    written: str | None = Field(
        default=None,
        description="With capitals, punctuation and numbers; null as that of a recording.",
    )
    confidence: Score | None = Field(description="The words' mean; null where there are none.")
    start_s: TimeS
    end_s: TimeS
    words: list[WordAnswer]
    written_tokens: list[WrittenTokenAnswer] = Field(default=[], description="As of a recording.")


SaidMessage: TypeAlias = SpeechStartedMessage | PartialMessage | FinalMessage


def said_message(event: SpeechStarted | Partial | Final) -> SaidMessage:
    """An event as a message, without posteriors."""
    match event:
        case SpeechStarted():
            return SpeechStartedMessage.model_validate(event)
        case Partial():
            return PartialMessage.model_validate(event)
    fields = {**vars(event), "text": event.text, "written": None}
    if event.written is not None:
        fields |= {"written": str(event.written), "written_tokens": event.written.tokens}
    return FinalMessage.model_validate(fields)


def message_json(event: Event, frame_s: float, *, probs: bool) -> bytes:
    """An event as a message.

    Args:
        event: to tell of.
        frame_s: seconds between the stream's frames.
        probs: whether a `Final` has the posteriors of its frames, as GET /probs gives them. Those
            of `Frames` are all that they have.
    """
    if isinstance(event, Frames):
        return to_json({"type": "frames", **_matrix(event.posteriors, event.first_frame, frame_s)})
    document = said_message(event).model_dump()
    if probs and isinstance(event, Final):
        document["probs"] = _matrix(event.posteriors, event.first_frame, frame_s)
    return to_json(document)


def _matrix(posteriors: Posteriors, first_frame: int, frame_s: float) -> dict[str, Any]:
    """Probabilities, a row a frame; `start_s` is the centre of the first in the stream."""
    document = probs_document(select(posteriors))
    return {**document, "first_frame": first_frame, "start_s": round(first_frame * frame_s, 6)}
