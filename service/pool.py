"""Threads for the heavy work, and a bound on what may wait for them.

Decoding, onnxruntime and numpy let go of the interpreter's lock while they compute, so threads
share the cores and the event loop stays free to answer.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from service.errors import QueueFullError

T = TypeVar("T")

RETRY_AFTER_S = 5
"""What a refused client is told to wait: about one long recording's time."""


class Pool:
    """A fixed number of threads with a bounded queue."""

    def __init__(self, threads: int, queue_size: int) -> None:
        """Start empty.

        Args:
            threads: pieces of work done at the same time.
            queue_size: pieces that may wait besides.
        """
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._capacity = threads + queue_size
        self._admitted = 0
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread and give back what it returns or raises.

        Raises:
            QueueFullError: at once, if every thread is taken and the queue is full.
        """
        self._admit()
        try:
            future = self._executor.submit(work)
        except BaseException:
            self._release()
            raise
        # The place is given back when the work ends, not when a caller stops waiting for it.
        future.add_done_callback(self._release)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drop what waits and wait for what runs."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _admit(self) -> None:
        with self._lock:
            if self._admitted >= self._capacity:
                raise QueueFullError(
                    f"expected fewer than {self._capacity} recordings at a time, "
                    f"got one more; try again in {RETRY_AFTER_S} s",
                    RETRY_AFTER_S,
                )
            self._admitted += 1

    def _release(self, _: Future[Any] | None = None) -> None:
        with self._lock:
            self._admitted -= 1
