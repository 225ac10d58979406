"""A Redis server that may go away: asked with short time-outs, and left alone while it is away."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis
from redis.client import Pipeline

from service.errors import StoreError, StoreRefusedError
from service.store.redis_pool import ANSWER_S, CONNECT_S, connection_pool

AWAY_S = 1.0
"""Who has just failed is not asked again for so long."""


class RedisServer:
    """Transactions on one server. Safe to use from several threads.

    Each thread that asks a server which does not answer waits for its time-out, and transcriptions
    wait behind them. So after a failure (a circuit breaker, as it is called) all others are refused
    at once, but for one at a time that tries whether it is back.
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
            ValueError: if the URL is none.
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
        """Commands that are sent by `execute`, and of which all or none are done.

        Raises:
            StoreError: if the server is away, or refuses.
        """
        self._refuse_while_away()
        try:
            with self._client.pipeline(transaction=True) as together:
                yield together
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
            self._failed(str(error))
            raise StoreRefusedError(f"the store lets this service not in: {error}") from error
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._failed(str(error))
            raise StoreError(f"the store is away: {error}") from error
        except redis.RedisError as error:
            self._answered()
            raise StoreError(f"the store failed: {error}") from error
        self._answered()

    def _refuse_while_away(self) -> None:
        with self._lock:
            if self._away is None:
                return
            if self._clock() < self._ask_again_s:
                raise StoreError(f"the store is away: {self._away}")
            # This caller tries, and for as long as that may take no other does.
            self._ask_again_s = self._clock() + 2 * (CONNECT_S + ANSWER_S)

    def _failed(self, reason: str) -> None:
        with self._lock:
            self._away = reason
            self._ask_again_s = self._clock() + AWAY_S

    def _answered(self) -> None:
        with self._lock:
            self._away = None
