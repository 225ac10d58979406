"""Gives each request its deadline, from its first byte, and cancels work for clients that left."""

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.inference.deadline import Deadline, applies

BEGAN = "began_s"
"""In a request's state: when its first byte came, by `time.monotonic`."""


class DeadlineMiddleware:
    """ASGI middleware that gives each request a deadline, and watches for clients that leave."""

    def __init__(self, app: ASGIApp, *, limit_s: float) -> None:
        self._app = app
        self._limit_s = limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Once the request is whole, the next message says that its client left.

        An application may never ask for a request without a body: that is read for it.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watch: asyncio.Task[Message] | None = None
        ahead: list[Message] = []

        async def watch_end() -> Message:
            message = await receive()
            deadline.cancel()
            return message

        async def noted_receive() -> Message:
            nonlocal watch
            message = await receive()
            if message["type"] == "http.disconnect":
                deadline.cancel()
            elif not message.get("more_body", False):
                watch = asyncio.create_task(watch_end())
            return message

        async def watching_receive() -> Message:
            if ahead:
                return ahead.pop()
            return await (noted_receive() if watch is None else asyncio.shield(watch))

        began_s = scope.get("state", {}).get(BEGAN)
        with applies(Deadline(self._limit_s, began_s)) as deadline:
            try:
                if not _has_body(scope):
                    ahead.append(await noted_receive())
                await self._app(scope, watching_receive, send)
            finally:
                if watch is not None:
                    watch.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await watch


def _has_body(scope: Scope) -> bool:
    """Whether a request announces one (RFC 9112, section 6)."""
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
