"""A bound on the bytes of large answers that wait for their clients to read them."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import SendingFullError
from service.middleware.refusal import refuse

PIECE_BYTES = 2**16
"""So much of an answer is handed to the connection at a time; the rest waits until it is read."""


class SendLimitMiddleware:
    """ASGI middleware that sends large bodies in pieces, and bounds the sum of those under way.

    One that exceeds the bound becomes a 503, unless it is the only one. A client that reads nothing
    is left by the connection itself (`service.protocol`).
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._sending = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def limited_send(message: Message) -> None:
            """Hold the start back until the first piece shows how much there is."""
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            first, start = start, None
            size = len(message.get("body", b""))
            if size <= PIECE_BYTES:
                if first is not None:
                    await send(first)
                await send(message)
            elif first is not None and self._sending and self._sending + size > self._max_bytes:
                await self._refuse(scope, receive, send, size)
            else:
                self._sending += size
                try:
                    await _in_pieces(send, first, message)
                finally:
                    self._sending -= size

        await self._app(scope, receive, limited_send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, size: int) -> None:
        error = SendingFullError(
            f"expected at most {self._max_bytes} bytes of answers that wait to be read, got one of "
            f"{size} bytes more; try again in {SendingFullError.retry_after_s} s"
        )
        await refuse(scope, receive, send, error)


async def _in_pieces(send: Send, start: Message | None, message: Message) -> None:
    if start is not None:
        await send(start)
    body, more = memoryview(message["body"]), message.get("more_body", False)
    for at in range(0, len(body), PIECE_BYTES):
        last = at + PIECE_BYTES >= len(body)
        piece = bytes(body[at : at + PIECE_BYTES])
        await send({**message, "body": piece, "more_body": more or not last})
