"""How long the work for a request is worth doing: until its client leaves, or its time is over.

Each request's `Deadline` stands in its context, which the threads that work for it share. They ask
it before each piece of work; what is under way is not broken off.
"""

import asyncio
import contextlib
import time
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ClientGoneError, DeadlineError


class Deadline:
    """Of one request. Safe to ask from several threads."""

    def __init__(self, limit_s: float) -> None:
        """Begin now, to end after `limit_s` seconds."""
        self._limit_s = limit_s
        self._end_s = time.monotonic() + limit_s
        self._gone = False

    def leave(self) -> None:
        """The client has gone."""
        self._gone = True

    def ended(self) -> ClientGoneError | DeadlineError | None:
        """Why nothing more is to be done; None if there is no reason."""
        if self._gone:
            return ClientGoneError("the client left before its answer")
        if time.monotonic() > self._end_s:
            return DeadlineError(
                f"expected to answer within {self._limit_s:g} s, and the service is too busy to"
            )
        return None

    def check(self) -> None:
        """Raise ClientGoneError or DeadlineError if there is a reason to stop."""
        if (reason := self.ended()) is not None:
            raise reason


_current: ContextVar[Deadline | None] = ContextVar("lifetime", default=None)


def current() -> Deadline:
    """The lifetime of the request that this context works for; outside of one it has no end."""
    return _current.get() or Deadline(float("inf"))


class DeadlineMiddleware:
    """ASGI middleware that gives each request a lifetime, and watches for clients that leave."""

    def __init__(self, app: ASGIApp, *, limit_s: float) -> None:
        self._app = app
        self._limit_s = limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request; once it is whole, what arrives is that its client has left."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lifetime = Deadline(self._limit_s)
        watch: asyncio.Task[Message] | None = None

        async def watch_end() -> Message:
            message = await receive()
            lifetime.leave()
            return message

        async def watching_receive() -> Message:
            nonlocal watch
            if watch is not None:
                return await asyncio.shield(watch)
            message = await receive()
            if message["type"] == "http.disconnect":
                lifetime.leave()
            elif not message.get("more_body", False):
                watch = asyncio.create_task(watch_end())
            return message

        token = _current.set(lifetime)
        try:
            await self._app(scope, watching_receive, send)
        finally:
            _current.reset(token)
            if watch is not None:
                watch.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watch
