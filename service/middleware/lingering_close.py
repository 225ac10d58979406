"""Responses that are sent before the request's body has been read reach the client all the same.

A server that closes a connection on which bytes still arrive resets it, and the client may lose the
response that was just sent. So the response goes out in full with "Connection: close", and the rest
of the body is read and dropped for a while before the connection ends (RFC 9112, section 9.6).
"""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_S = 10.0
"""An unwanted body is read and dropped for so long; then the connection is closed."""


class LingeringCloseMiddleware:
    """ASGI middleware; has to be the outermost, so that all others see the response end at once."""

    def __init__(self, app: ASGIApp, *, max_s: float = MAX_S) -> None:
        self._app = app
        self._max_s = max_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold back the end of a response that comes before the request's."""
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
        with suppress(TimeoutError):  # the connection is closed then
            async with asyncio.timeout(self._max_s):
                while (await receive()).get("more_body", False):
                    pass


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
