"""Connections to a Redis server, none of which keeps its caller waiting for long."""

import socket
import threading
from concurrent.futures import Future
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

CONNECT_S = 1.0
"""Longest wait for the server's address, and again for a connection to it."""

ANSWER_S = 5.0
"""Longest wait for one answer, or for one value to be taken: two hours of features have 230 MB."""


def connection_pool(url: str, password: str | None) -> redis.ConnectionPool:
    """Connections that are made when they are needed.

    Args:
        url: redis://, rediss:// or unix://, as redis-py reads it.
        password: instead of the URL's.

    Raises:
        ValueError: if the URL can't be understood.
    """
    described = parse_url(url)  # type: ignore[no-untyped-call]
    options = {
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": ANSWER_S,
        # A connection that the server has closed meanwhile is made anew, once.
        "retry": Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        **described,
        "connection_class": _CONNECTIONS.get(
            described.get("connection_class", redis.Connection), redis.UnixDomainSocketConnection
        ),
    }
    if password is not None:
        options["password"] = password
    pool = redis.ConnectionPool(**options)
    try:
        pool.connection_class(**pool.connection_kwargs)  # connects to nothing yet
    except TypeError as error:
        raise ValueError(f"an option that is not known: {error}") from error
    return pool


class _NamedServer(redis.Connection):
    """To a server whose name may be gone, as a stopped container's is.

    The resolver tries for 10 s and more before it says so, and no time-out of a socket ends that.
    """

    def connect_check_health(self, *args: bool, **kwargs: bool) -> None:
        """Every way to a connection passes here; TimeoutError if the name is not found in time."""
        if not self.is_connected:
            _require_address(self.host, self.port)
        super().connect_check_health(*args, **kwargs)


class _NamedServerTls(_NamedServer, redis.SSLConnection):
    """The same, encrypted."""


_CONNECTIONS: dict[type, type] = {
    redis.Connection: _NamedServer,
    redis.SSLConnection: _NamedServerTls,
}


def _require_address(host: str, port: int) -> None:
    """TimeoutError, which is not tried again, unless the resolver answers within CONNECT_S."""
    found: Future[Any] = Future()

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            found.set_exception(error)

    # A thread of its own, which nobody waits for at the end: a pool's would be waited for.
    threading.Thread(target=look_up, name="redis-address", daemon=True).start()
    try:
        found.result(CONNECT_S)
    except TimeoutError:
        raise redis.TimeoutError(
            f"expected the address of {host} within {CONNECT_S:g} s, got none"
        ) from None
    except OSError as error:
        raise redis.ConnectionError(f"{host} has no address: {error}") from error
