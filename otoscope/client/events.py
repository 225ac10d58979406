"""Reading a transcription in server-sent events."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError
from pydantic import BaseModel, ValidationError

from otoscope.client.errors import ProblemError, UnexpectedAnswerError, UnreachableError
from otoscope.schemas import FinishedAnswer, Problem, ProgressAnswer, Transcription

TranscriptionEvent: TypeAlias = ProgressAnswer | FinishedAnswer | Transcription
"""Progress, a finished part, or at last the whole transcription."""

EVENT_STREAM = "text/event-stream"

_KINDS: dict[str, type[BaseModel]] = {
    "progress": ProgressAnswer,
    "segment": FinishedAnswer,
    "result": Transcription,
}


def read_events(response: httpx.Response) -> Iterator[TranscriptionEvent]:
    """Events of a response, up to the result; the response is closed in the end."""
    with _client_errors():
        try:
            for event in EventSource(response).iter_sse():
                if (parsed := _read(event)) is not None:
                    yield parsed
                    if isinstance(parsed, Transcription):
                        return
        finally:
            response.close()
    raise _broken_off()


async def read_events_async(response: httpx.Response) -> AsyncIterator[TranscriptionEvent]:
    """`read_events` in an event loop."""
    with _client_errors():
        try:
            async for event in EventSource(response).aiter_sse():
                if (parsed := _read(event)) is not None:
                    yield parsed
                    if isinstance(parsed, Transcription):
                        return
        finally:
            await response.aclose()
    raise _broken_off()


def _read(event: ServerSentEvent) -> TranscriptionEvent | None:
    """A parsed event; None if its type is unknown to this client."""
    try:
        if event.event == "error":
            raise ProblemError(Problem.model_validate_json(event.data))
        kind = _KINDS.get(event.event)
        return None if kind is None else kind.model_validate_json(event.data)  # type: ignore[return-value]
    except ValidationError as error:
        raise UnexpectedAnswerError(
            f"expected an event of a transcription, got: {error}"
        ) from error


@contextmanager
def _client_errors() -> Iterator[None]:
    """Turn errors of the connection into errors of this client."""
    try:
        yield
    except SSEError as error:
        raise UnexpectedAnswerError(f"expected {EVENT_STREAM}, got: {error}") from error
    except httpx.RequestError as error:
        raise UnreachableError(
            f"the response broke off: {error or type(error).__name__}"
        ) from error


def _broken_off() -> UnreachableError:
    return UnreachableError("the response broke off before its result")
