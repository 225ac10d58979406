"""Answers that are given before the request's body has been read reach the client all the same.

A server that closes a connection on which bytes still arrive resets it, and the client may lose
the answer that it was just given. So the answer goes out in full with "Connection: close", and the
rest of the body is read and dropped for a while before the connection ends (RFC 9112, section 9.6).
"""

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 16 * 2**20
"""As much of an unwanted body is dropped; after it the connection is cut."""

MAX_S = 5.0
"""As long is waited for an unwanted body's end."""


class LingeringCloseMiddleware:
    """ASGI middleware, the outermost: what lies within takes no notice of it."""

    def __init__(self, app: ASGIApp, *, max_bytes: int = MAX_BYTES, max_s: float = MAX_S) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_s = max_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request; hold back the end of an answer that comes early."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        read_whole = held_back = False

        async def watching_receive() -> Message:
            nonlocal read_whole
            message = await receive()
            read_whole = not message.get("more_body", False)  # also when the client has left
            return message

        async def holding_send(message: Message) -> None:
            nonlocal held_back
            if message["type"] == "http.response.start" and not read_whole:
                MutableHeaders(scope=message)["Connection"] = "close"
            elif message["type"] == "http.response.body" and not message.get("more_body", False):
                held_back = not read_whole
                message = {**message, "more_body": held_back}
            await send(message)

        try:
            await self._app(scope, watching_receive, holding_send)
        finally:
            if held_back:
                await self._drop_the_rest(receive)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drop_the_rest(self, receive: Receive) -> None:
        dropped, more = 0, True
        try:
            async with asyncio.timeout(self._max_s):
                while more and dropped <= self._max_bytes:
                    message = await receive()
                    dropped += len(message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            return  # it has had its time: the connection is closed now


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
