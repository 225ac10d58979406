"""API keys: who may use this service, if not everybody.

Without keys the service is open to whoever reaches it. On a loopback address that is its user; on
any other the start says so in the log. It does not refuse to start, for behind a proxy that checks
who comes, or in a container whose port is published on 127.0.0.1 only, all is as it should be.
"""

import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Sequence

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import UnauthorizedError
from service.page.assets import PREFIX as PAGE_FILES
from service.settings import Settings

OPEN_PATHS = frozenset(
    {
        *("/health/live", "/health/ready", "/metrics"),
        *("/", "/docs", "/openapi.json"),
    }
)
"""What needs no key, beside the page's files. Any other path needs one, whatever is built there."""

logger = logging.getLogger(__name__)


class ApiKeyMiddleware:
    """ASGI middleware that lets nobody in without a key; no byte of a body is read before."""

    def __init__(self, app: ASGIApp, keys: Sequence[SecretStr]) -> None:
        self._app = app
        self._digests = [_digest(key.get_secret_value()) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request, or answer 401."""
        if scope["type"] == "lifespan" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            self._check(_offered(Headers(scope=scope)))
        except UnauthorizedError as error:
            # This is outside of where FastAPI handles errors, so its handler is asked here.
            handle = scope["app"].exception_handlers[UnauthorizedError]
            response = await handle(HTTPConnection(scope), error)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, offered: Sequence[str]) -> None:
        """Compare with every key, equal or not: how long it takes tells nothing about any.

        Raises:
            UnauthorizedError: if none of `offered` is a key.
        """
        equal = [
            hmac.compare_digest(_digest(each), digest)
            for each in offered
            for digest in self._digests
        ]
        if not any(equal):
            got = "one that is not valid" if offered else "none"
            raise UnauthorizedError(
                f"expected an API key (Authorization: Bearer KEY, or X-API-Key: KEY), got {got}",
                wrong=bool(offered),
            )


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(PAGE_FILES)


def warn_if_open(settings: Settings) -> None:
    """Say so in the log if anybody on the network may use this service."""
    if not settings.api_keys and not _is_loopback(settings.host):
        logger.warning(
            "no API key is set, and %s is no loopback address: ANYBODY WHO REACHES PORT %d MAY USE "
            "THIS SERVICE; set OTOSCOPE_API_KEYS, or let something in front of it check who comes",
            settings.host,
            settings.port,
        )


def _offered(headers: Headers) -> list[str]:
    """Every key that a request brings."""
    offered = headers.getlist("x-api-key")
    for value in headers.getlist("authorization"):
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() == "bearer":
            offered.append(credentials.strip())
    return offered


def _digest(key: str) -> bytes:
    """Of one length for all keys, as a comparison in constant time needs it."""
    return hashlib.sha256(key.encode()).digest()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
