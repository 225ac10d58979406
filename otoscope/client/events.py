"""A transcription that is told of while it comes about: server-sent events."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError
from pydantic import BaseModel, ValidationError

from otoscope.client.errors import ProblemError, UnexpectedAnswerError, UnreachableError
from otoscope.schemas import FinishedAnswer, Problem, ProgressAnswer, Transcription

Told: TypeAlias = ProgressAnswer | FinishedAnswer | Transcription
"""How far the service is, what is finished, and at last the whole."""

EVENT_STREAM = "text/event-stream"

_KINDS: dict[str, type[BaseModel]] = {
    "progress": ProgressAnswer,
    "segment": FinishedAnswer,
    "result": Transcription,
}


def read_events(response: httpx.Response) -> Iterator[Told]:
    """What a response tells, to its result; it is closed in the end."""
    with _failures_told():
        try:
            for event in EventSource(response).iter_sse():
                if (told := _read(event)) is not None:
                    yield told
                    if isinstance(told, Transcription):
                        return
        finally:
            response.close()
    raise _broken_off()


async def read_events_async(response: httpx.Response) -> AsyncIterator[Told]:
    """`read_events` in an event loop."""
    with _failures_told():
        try:
            async for event in EventSource(response).aiter_sse():
                if (told := _read(event)) is not None:
                    yield told
                    if isinstance(told, Transcription):
                        return
        finally:
            await response.aclose()
    raise _broken_off()


def _read(event: ServerSentEvent) -> Told | None:
    """What an event tells; None if it is of a kind that this client doesn't know."""
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
def _failures_told() -> Iterator[None]:
    """Make errors of the connection the client's."""
    try:
        yield
    except SSEError as error:
        raise UnexpectedAnswerError(f"expected {EVENT_STREAM}, got: {error}") from error
    except httpx.RequestError as error:
        raise UnreachableError(f"the answer broke off: {error or type(error).__name__}") from error


def _broken_off() -> UnreachableError:
    return UnreachableError("the answer broke off before its result")
