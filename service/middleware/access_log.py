"""A record of each request once it is answered, for the log and the metrics."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNMATCHED = "unmatched"
"""The route of requests that fit none. Their paths are left out: they can hold anything."""


@dataclass(frozen=True)
class Exchange:
    """One request and its response. The client chose nothing in it but the method.

    Attributes:
        route: the template, "/transcriptions/{id}", never the path: ids in it open results.
        status: of the response; 500 if there was none.
        duration_s: from the request's headers to the response's last byte.
        bytes_in: bytes of the request's body that were read.
    """

    method: str
    route: str
    status: int
    duration_s: float
    bytes_in: int


class AccessLogMiddleware:
    """ASGI middleware that calls `observers` with each exchange when it is over."""

    def __init__(self, app: ASGIApp, observers: Sequence[Callable[[Exchange], None]]) -> None:
        self._app = app
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        status, bytes_in = 500, 0
        started_s = time.perf_counter()

        async def counting_receive() -> Message:
            nonlocal bytes_in
            message = await receive()
            bytes_in += len(message.get("body") or message.get("bytes") or b"")
            return message

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"].endswith("http.response.start"):
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = HTTPStatus.SWITCHING_PROTOCOLS
            await send(message)

        try:
            await self._app(scope, counting_receive, noting_send)
        finally:
            duration_s = time.perf_counter() - started_s
            method = scope.get("method", "GET")  # which a WebSocket begins with
            exchange = Exchange(method, _route(scope), status, duration_s, bytes_in)
            for observer in self._observers:
                observer(exchange)


def _route(scope: Scope) -> str:
    """The template of the route that routing left in the scope."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None and "endpoint" in scope and not scope.get("path_params"):
        template = scope["path"]  # /docs and the like leave no route, and have nothing to fill in
    return template or UNMATCHED
