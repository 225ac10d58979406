"""Which pages may open a WebSocket: browsers ask nobody before they do, and send no CORS request.

A page of evil.example could stream to a service on the same machine. What gives it away is its
Origin header, which programs other than browsers do not send.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import ForeignOriginError
from service.middleware.refusal import refuse


class OriginMiddleware:
    """ASGI middleware that answers 403 to WebSockets of pages from other origins."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        """Allow pages of the host that is asked, and of `origins`; "*" is any."""
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self._is_allowed(Headers(scope=scope)):
            error = ForeignOriginError(
                "expected a WebSocket of a page from this host, or from one of "
                "OTOSCOPE_CORS_ORIGINS"
            )
            await refuse(scope, receive, send, error)
            return
        await self._app(scope, receive, send)

    def _is_allowed(self, headers: Headers) -> bool:
        offered = headers.getlist("origin")
        if not offered or "*" in self._origins:
            return True
        own = headers.get("host", "").lower()
        return len(offered) == 1 and (offered[0] in self._origins or _host_of(offered[0]) == own)


def _host_of(origin: str) -> str | None:
    """With its port; None for what is no address."""
    try:
        return urlsplit(origin.lower()).netloc
    except ValueError:
        return None
