"""Threads for the heavy work, and a bound on what may wait for them.

Decoding, onnxruntime and numpy let go of the interpreter's lock while they compute, so threads
share the cores and the event loop stays free to answer.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from service.errors import QueueFullError
from service.inference import deadline

T = TypeVar("T")

RETRY_AFTER_S = 5
"""What a refused client is told to wait: about ten minutes of audio's time."""


def _tell_nobody(_waiting: int, _running: int) -> None:
    """Nobody wants to know."""


class Pool:
    """A fixed number of threads with a bounded queue."""

    def __init__(
        self,
        threads: int,
        queue_size: int,
        on_change: Callable[[int, int], None] = _tell_nobody,
    ) -> None:
        """Start empty.

        Args:
            threads: pieces of work done at the same time.
            queue_size: pieces that may wait besides.
            on_change: told how many pieces wait and how many run, in this order, whenever that
                changes; from any thread, so it has to be quick.
        """
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._capacity = threads + queue_size
        self._admitted = 0
        self._running = 0
        self._on_change = on_change
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread, in the caller's context, and give back what it returns or raises.

        Raises:
            QueueFullError: at once, if every thread is taken and the queue is full.
            ClientGoneError, DeadlineError: if nobody needs it any more when its turn comes.
        """
        self._admit()
        try:
            future = self._executor.submit(contextvars.copy_context().run, self._start, work)
        except BaseException:
            self._release()
            raise
        # The place is given back when the work ends, not when a caller stops waiting for it.
        future.add_done_callback(self._release)
        return await asyncio.wrap_future(future)

    async def run_steps(self, work: Generator[None, None, T]) -> T:
        """Do `work` in threads, step by step, and give back what it returns or raises.

        All steps are done in the caller's context. What already waits for a thread goes before the
        next step, so an hour of audio keeps nobody waiting for its end.

        Raises:
            QueueFullError: at once, if every thread is taken and the queue is full.
            ClientGoneError, DeadlineError: if nobody needs it any more when a step's turn comes.
        """
        self._admit()
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()  # a caller that stops waiting does not end the work
        self._next_step(partial(contextvars.copy_context().run, self._start, work.__next__), done)
        return await asyncio.wrap_future(done)

    @property
    def running(self) -> int:
        """Pieces of work that are being done now."""
        return self._running

    def close(self) -> None:
        """Drop what waits and wait for what runs."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _next_step(self, take_step: Callable[[], None], done: Future[T]) -> None:
        try:
            step = self._executor.submit(take_step)
        except RuntimeError as error:  # the pool was closed between two steps
            self._release()
            done.set_exception(error)
        else:
            step.add_done_callback(partial(self._after_step, take_step, done))

    def _after_step(
        self, take_step: Callable[[], None], done: Future[T], step: Future[None]
    ) -> None:
        error = CancelledError() if step.cancelled() else step.exception()
        if error is None:
            with self._lock:
                self._change(running=-1)
            self._next_step(take_step, done)
            return
        self._release(step)  # before the caller hears of it, who may come again at once
        if isinstance(error, StopIteration):
            done.set_result(error.value)
        else:
            done.set_exception(error)

    def _admit(self) -> None:
        with self._lock:
            if self._admitted >= self._capacity:
                raise QueueFullError(
                    f"expected fewer than {self._capacity} recordings at a time, "
                    f"got one more; try again in {RETRY_AFTER_S} s",
                    RETRY_AFTER_S,
                )
            self._change(admitted=1)

    def _start(self, work: Callable[[], T]) -> T:
        with self._lock:
            self._change(running=1)
        deadline.current().check()  # whose client has left, or whose time is over, is not begun
        return work()

    def _release(self, future: Future[Any] | None = None) -> None:
        """Give a place back; work that was cancelled in the queue has never run."""
        ran = future is not None and not future.cancelled()
        with self._lock:
            self._change(admitted=-1, running=-ran)

    def _change(self, *, admitted: int = 0, running: int = 0) -> None:
        self._admitted += admitted
        self._running += running
        self._on_change(self._admitted - self._running, self._running)
