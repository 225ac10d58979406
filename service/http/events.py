"""Server-sent events: a response that begins before its result is known.

https://html.spec.whatwg.org/multipage/server-sent-events.html. An error before the
first event is a response of its own, with a status; after that it is the last event.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from otoscope.errors import OtoscopeError
from service.errors import ClientGoneError, ServiceError
from service.http.negotiation import EVENT_STREAM

logger = logging.getLogger(__name__)

_UNBUFFERED = {"X-Accel-Buffering": "no"}
"""For nginx, which would buffer events."""


def event(document: bytes, name: str = "") -> bytes:
    """One event.

    Args:
        document: JSON without line breaks.
        name: its type; by default clients call it "message".
    """
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + document + b"\n\n"


class EventResponse(StreamingResponse):
    """A response of events, which closes `kept` after the last."""

    def __init__(
        self, events: AsyncIterator[bytes], kept: AsyncExitStack, headers: Mapping[str, str]
    ) -> None:
        super().__init__(events, headers={**_UNBUFFERED, **headers}, media_type=EVENT_STREAM)
        self._kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        async with self._kept:
            await super().__call__(scope, receive, send)


async def respond_with_events(
    events: AsyncGenerator[bytes, None],
    failed: Callable[[Exception], bytes],
    kept: AsyncExitStack,
    headers: Mapping[str, str],
) -> EventResponse:
    """Wait for the first event, and respond with all.

    Args:
        events: one at least.
        failed: makes an error the last event.
        kept: closed after the last event; left to the caller if there is no first one.
        headers: of the response.

    Raises:
        Whatever `events` raises before the first.
    """
    first = await anext(events)
    kept.push_async_callback(events.aclose)
    return EventResponse(_to_the_end(first, events, failed), kept.pop_all(), headers)


async def _to_the_end(
    first: bytes, others: AsyncIterator[bytes], failed: Callable[[Exception], bytes]
) -> AsyncIterator[bytes]:
    yield first
    try:
        async for each in others:
            yield each
    except ClientGoneError:
        return
    except Exception as error:
        if not isinstance(error, OtoscopeError | ServiceError):
            logger.exception("the work of a response in server-sent events failed")
        yield failed(error)
