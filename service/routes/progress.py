"""A transcription as server-sent events: progress, finished segments, and the result."""

from collections.abc import AsyncGenerator, AsyncIterator

from fastapi import Response

from otoscope import Posteriors
from otoscope.formats.tables import to_json
from otoscope.schemas import ProgressAnswer
from otoscope.schemas.progress import finished_answer
from otoscope.written.writer import Written
from service.http.events import event
from service.http.problems import problem_of
from service.inference.request_pool import Returned


async def progress_events(outputs: AsyncIterator[object]) -> AsyncGenerator[bytes, None]:
    """Outputs of `Place.stream_steps` for work that returns a response, as events."""
    recognized_s = 0.0
    async for each in outputs:
        match each:
            case Posteriors():
                recognized_s += each.clock.duration_s
                progress = ProgressAnswer(recognized_s=recognized_s)
                yield event(to_json(progress.model_dump()), "progress")
            case Written():
                yield event(to_json(finished_answer(each).model_dump()), "segment")
            case Returned(value=Response() as response):
                yield event(bytes(response.body), "result")


def failed(error: Exception) -> bytes:
    """An error after the first event, as the last event."""
    return event(to_json(problem_of(error).model_dump(exclude_none=True)), "error")
