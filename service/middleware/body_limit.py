"""A bound on the bytes of a request's body, and on the time in which it arrives."""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import UploadStalledError, UploadTooLargeError
from service.inference import deadline

MIN_RATE_BYTES_S = 1000
"""A body that arrives more slowly, beside the pause that is allowed, stalls, too."""


class BodyLimitMiddleware:
    """ASGI middleware that counts a request's body as it arrives and stops at a limit.

    What reads the body gets UploadTooLargeError, with or without a Content-Length, and
    UploadStalledError if the client stops sending before its request is whole, sends a few bytes
    now and then, or sends for longer than a request may take.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_pause_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_pause_s = max_pause_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received, whole = 0, False
        began_s = time.monotonic()
        announced = dict(scope["headers"]).get(b"content-length", b"")

        async def checked_receive() -> Message:
            nonlocal received, whole
            if whole:
                return await receive()  # waits until the client leaves, however long that takes
            if announced.isdigit():
                self._check(int(announced))
            allowed_s = self._max_pause_s + received / MIN_RATE_BYTES_S
            message = await self._receive_soon(receive, began_s + allowed_s - time.monotonic())
            received += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            self._check(received)
            return message

        await self._app(scope, checked_receive, send)

    async def _receive_soon(self, receive: Receive, allowed_s: float) -> Message:
        left_s = deadline.current().left_s
        try:
            async with asyncio.timeout(min(self._max_pause_s, allowed_s, left_s)):
                return await receive()
        except TimeoutError:
            if left_s < min(self._max_pause_s, allowed_s):
                got = "it was not whole when the request's time was over"
            elif allowed_s < self._max_pause_s:
                got = f"fewer than {MIN_RATE_BYTES_S} bytes a second"
            else:
                got = f"none of it for {self._max_pause_s:g} s"
            raise UploadStalledError(f"expected the rest of the request, got {got}") from None

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise UploadTooLargeError(
                f"expected a request of at most {self._max_bytes} bytes, got {size} or more"
            )
