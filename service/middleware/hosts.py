"""Which hosts this service answers for, so that a web page can't reach it by DNS rebinding.

A page of evil.example may have that name point to 127.0.0.1: its browser then sends requests here,
as from one origin, and past every rule about others. What gives them away is their Host header. An
address in that header is no such trick, for it can't be made to point elsewhere.
"""

import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import UnknownHostError
from service.middleware.refusal import refuse


class HostMiddleware:
    """ASGI middleware that answers 421 to requests for other hosts."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        """Answer for `hosts`: names without ports; "*" is any, "*.name" all below a name."""
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] in ("http", "websocket")
        offered = Headers(scope=scope).getlist("host") if asked else []
        if asked and not self._is_served(offered):
            hosts = ", ".join(sorted(self._hosts))
            got = "another" if offered else "none"
            error = UnknownHostError(
                f"expected a request for {hosts} or an address, got {got} in the Host header or "
                "the URL; "
                "OTOSCOPE_HOSTS names the hosts"
            )
            await refuse(scope, receive, send, error)
            return
        await self._app(scope, receive, send)

    def _is_served(self, offered: list[str]) -> bool:
        if "*" in self._hosts:
            return True
        return len(offered) == 1 and self._is_known(host_name(offered[0]))

    def _is_known(self, name: str) -> bool:
        if name in self._hosts or _is_address(name):
            return True
        return any(each.startswith("*.") and name.endswith(each[1:]) for each in self._hosts)


def host_name(value: str) -> str:
    """A Host header's value without its port, in lower case, without brackets and a last dot."""
    value = value.strip().lower()
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0].removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
