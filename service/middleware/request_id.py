"""A name for each request, in its answer and in every log line that it causes."""

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

HEADER = "X-Request-ID"

_SANE = re.compile(r"[A-Za-z0-9._:=+/-]{1,128}")
"""What UUIDs, ULIDs and proxies' trace ids are made of: nothing that could break a log line."""


class RequestId:
    """ASGI middleware: takes the client's id if it is sane, makes one otherwise, and echoes it.

    The id stays bound in the context after the answer, for the server logs an unexpected error only
    then. A context lasts no longer than the task of its request, and each request starts afresh.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request with a `send` that adds the header."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_id(Headers(scope=scope).get(HEADER))
        clear_contextvars()
        bind_contextvars(request_id=request_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)


def choose_id(offered: str | None) -> str:
    """The id that a client offered, or a new one if it offered none or none that is sane."""
    if offered is not None and _SANE.fullmatch(offered):
        return offered
    return uuid.uuid4().hex
