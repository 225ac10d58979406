"""Addresses as clients put them together: a base that ends in a slash, a path that begins so."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

_SLASHES = re.compile("/{2,}")


class PlainPathsMiddleware:
    """ASGI middleware that takes "/v1//models/" for "/v1/models".

    A redirection would do for readers of pages, and they get one: most programs do not follow it
    with a body.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        """Around `app`; of GET requests, only paths below `prefix` are changed."""
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = _SLASHES.sub("/", scope["path"])
            if scope["method"] not in ("GET", "HEAD") or path.startswith(self._prefix):
                scope = {**scope, "path": path.rstrip("/") or "/"}
        await self._app(scope, receive, send)
