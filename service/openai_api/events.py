"""The events of a transcription with stream=true.

https://platform.openai.com/docs/api-reference/audio/transcript-text-delta-event.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Literal

from pydantic import Field

from otoscope.formats.tables import to_json
from otoscope.schemas import Answer
from otoscope.written.writer import Written
from service.http.events import event
from service.http.problems import problem_of
from service.inference.request_pool import Returned
from service.inference.transcriber import Transcribed
from service.openai_api.errors import error_of
from service.openai_api.responses import Logprob, logprobs_of


class DeltaEvent(Answer):
    """Finished sentences."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str = Field(description="With a space before it, but for the first.")
    logprobs: list[Logprob] | None = Field(
        default=None, description="There if asked for with include[]=logprobs: as heard."
    )


class DoneEvent(Answer):
    """The whole text: the deltas together."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    logprobs: list[Logprob] | None = Field(
        default=None, description="There if asked for with include[]=logprobs: as heard."
    )
    warnings: list[str] = Field(description="Not OpenAI's: about reading the recording.")


async def transcript_events(
    outputs: AsyncIterator[object], *, logprobs: bool
) -> AsyncGenerator[bytes, None]:
    """Outputs of `Place.stream_steps` for `Transcriber.progressive_steps` as events."""
    space = ""
    async for each in outputs:
        match each:
            case Written():
                delta = DeltaEvent(delta=space + each.text, logprobs=_of(each, logprobs))
                yield _event(delta)
                space = " "
            case Returned(value=Transcribed() as done):
                written = done.written
                warnings = [*done.recognition.warnings, *written.warnings]
                yield _event(
                    DoneEvent(text=written.text, logprobs=_of(written, logprobs), warnings=warnings)
                )


def failed(error: Exception) -> bytes:
    """An error after the first event, as the last event."""
    document = error_of(problem_of(error), getattr(error, "param", None))
    return event(to_json({"error": document.model_dump()}), "error")


def _of(said: Written, wanted: bool) -> list[Logprob] | None:  # noqa: FBT001
    return logprobs_of(said) if wanted else None


def _event(document: DeltaEvent | DoneEvent) -> bytes:
    return event(to_json(document.model_dump(exclude_none=True)))
