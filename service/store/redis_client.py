"""A client for a Redis server that may be away: short time-outs, and a circuit breaker."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.connection import parse_url
from redis.retry import Retry

from service.errors import StoreError, StoreRefusedError

CONNECT_S = 1.0
"""Longest wait for the server's address, and again for a connection to it."""

ANSWER_S = 5.0
"""Longest wait for one answer, or for one value to be taken: two hours of features have 230 MB."""

AWAY_S = 1.0
"""Time after a failure in which the server is not asked again."""


class RedisServer:
    """Transactions on one server. Safe to use from several threads.

    Each thread that asks a server which does not answer waits for its time-out, and transcriptions
    wait behind them. So a failure opens a circuit breaker: callers are refused at once, except one
    at a time, which tries whether the server is back.
    """

    def __init__(
        self, url: str, password: str | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: redis://, rediss:// or unix://, as redis-py reads it.
            password: instead of the URL's.
            clock: seconds that pass.

        Raises:
            ValueError: if the URL can't be understood.
        """
        self._client = redis.Redis(connection_pool=connection_pool(url, password))
        self._clock = clock
        self._lock = threading.Lock()
        self._away: str | None = None
        self._ask_again_s = 0.0

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._client.connection_pool.disconnect()

    @contextmanager
    def transaction(self) -> Iterator[Pipeline]:
        """Commands that `execute` sends; all or none of them are done.

        Raises:
            StoreError: if the server is away, or refuses.
        """
        self._refuse_while_away()
        try:
            with self._client.pipeline(transaction=True) as pipeline:
                yield pipeline
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
            self._failed(_reason(error))
            raise StoreRefusedError(f"the store refuses this service: {_reason(error)}") from None
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._failed(_reason(error))
            raise StoreError(f"the store is away: {_reason(error)}") from None
        except redis.RedisError as error:
            self._answered()
            # Not the command that it names, nor the error itself: ids of results stand in both.
            raise StoreError(f"the store failed: {_reason(error)}") from None
        self._answered()

    def _refuse_while_away(self) -> None:
        with self._lock:
            if self._away is None:
                return
            if self._clock() < self._ask_again_s:
                raise StoreError(f"the store is away: {self._away}")
            # This caller tries; no other does for as long as that may take.
            self._ask_again_s = self._clock() + 2 * (CONNECT_S + ANSWER_S)

    def _failed(self, reason: str) -> None:
        with self._lock:
            self._away = reason
            self._ask_again_s = self._clock() + AWAY_S

    def _answered(self) -> None:
        with self._lock:
            self._away = None


def _reason(error: redis.RedisError) -> str:
    """What went wrong, without the command that redis-py puts before it."""
    return str(error).rpartition(" of pipeline caused error: ")[2]


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
        # A connection that the server has closed meanwhile is opened again, once.
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
    """To a server whose name may be gone, as that of a stopped container is.

    The resolver tries for 10 s and more before it gives up, and no time-out of a socket ends that.
    """

    def connect_check_health(self, *args: bool, **kwargs: bool) -> None:
        """Called for every connection; TimeoutError if the name is not found in time."""
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

    # A daemon thread, which the process does not wait for when it ends, unlike a pool's.
    threading.Thread(target=look_up, name="redis-address", daemon=True).start()
    try:
        found.result(CONNECT_S)
    except TimeoutError:
        raise redis.TimeoutError(
            f"expected the address of {host} within {CONNECT_S:g} s, got none"
        ) from None
    except OSError as error:
        raise redis.ConnectionError(f"{host} has no address: {error}") from error
