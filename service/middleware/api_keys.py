"""API keys: who may use this service, if not everybody.

Without keys the service is open to anyone who can reach it. On a loopback address that is its user;
on any other a warning is logged at the start. That is no error: behind a proxy that checks clients,
or in a container whose port is published on 127.0.0.1 only, no key is needed.
"""

import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Sequence
from urllib.parse import unquote

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import UnauthorizedError
from service.middleware.refusal import refuse
from service.page.assets import PREFIX as PAGE_FILES
from service.settings import Settings

OPEN_PATHS = frozenset(("/health/live", "/health/ready", "/metrics", "/", "/docs", "/openapi.json"))
"""These need no key, nor do the page's files. Any other path does, whether it exists or not."""

KEY_PROTOCOL = "openai-insecure-api-key."
"""Begins the name of a WebSocket's protocol that is a key."""

logger = logging.getLogger(__name__)


class ApiKeyMiddleware:
    """ASGI middleware that answers 401 without a valid key, before any byte of a body is read."""

    def __init__(self, app: ASGIApp, keys: Sequence[SecretStr]) -> None:
        self._app = app
        self._digests = [_digest(key.get_secret_value()) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            self._check(_offered(Headers(scope=scope)))
        except UnauthorizedError as error:
            await refuse(scope, receive, send, error)
            return
        await self._app(scope, receive, send)

    def _check(self, offered: Sequence[str]) -> None:
        """Compare with every key, equal or not, so that the time it takes tells nothing about them.

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
    """Log a warning if anybody on the network may use this service."""
    if not settings.api_keys and not _is_loopback(settings.host):
        logger.warning(
            "no API key is set, and %s is no loopback address: ANYBODY WHO CAN REACH PORT %d MAY "
            "USE THIS SERVICE; set OTOSCOPE_API_KEYS, or check clients in a proxy in front of it",
            settings.host,
            settings.port,
        )


def _offered(headers: Headers) -> list[str]:
    """Every key that a request brings.

    Pages can't give a WebSocket headers, but protocols: OpenAI's clients send one that has the key.
    Characters that a protocol name may not have are percent-encoded.
    """
    offered = headers.getlist("x-api-key")
    for value in headers.getlist("sec-websocket-protocol"):
        names = (name.strip() for name in value.split(","))
        keys = [name.removeprefix(KEY_PROTOCOL) for name in names if name.startswith(KEY_PROTOCOL)]
        offered += keys + [unquote(key) for key in keys]
    for value in headers.getlist("authorization"):
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() == "bearer":
            offered.append(credentials.strip())
    return offered


def _digest(key: str) -> bytes:
    """Of one length for all keys, as a comparison in constant time needs."""
    return hashlib.sha256(key.encode()).digest()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
