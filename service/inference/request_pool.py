"""Threads for the heavy work, and a bound on what may wait for them.

Decoding, onnxruntime and numpy release the interpreter's lock while they compute, so threads share
the cores and the event loop stays free to answer.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from service.errors import QueueFullError
from service.inference import deadline

T = TypeVar("T")


class RequestPool:
    """A fixed number of threads, for a bounded number of pieces of work."""

    def __init__(
        self,
        threads: int,
        capacity: int,
        on_change: Callable[[int, int], None] = lambda _waiting, _running: None,
    ) -> None:
        """Start empty.

        Args:
            threads: pieces of work done at the same time.
            capacity: pieces taken on at a time; those beyond `threads` wait.
            on_change: called with how many pieces wait and how many run whenever that changes; from
                any thread and under a lock, so it has to be quick.
        """
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._capacity = capacity
        self._admitted = 0
        self._running = 0
        self._on_change = on_change
        self._lock = threading.RLock()

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread: `run_steps` with a single step, which raises the same."""

        def single() -> Generator[None, None, T]:
            yield from ()
            return work()

        return await self.run_steps(single())

    async def run_steps(self, work: Generator[None, None, T]) -> T:
        """Do `work` in threads, step by step, and give back what it returns or raises.

        All steps are done in the caller's context. What already waits for a thread goes before the
        next step, so nothing waits for the end of an hour of audio. A caller that stops waiting
        ends the work after the step that is running, and until then the work keeps its place.

        Raises:
            QueueFullError: at once, if every thread is taken and the queue is full.
            ClientGoneError, DeadlineError: if the request is over when a step's turn comes.
        """
        self._admit()
        context = contextvars.copy_context()
        while True:
            try:
                step = self._executor.submit(context.run, self._take_step, work)
            except RuntimeError:  # the pool was closed between two steps
                self._change(admitted=-1)
                raise
            try:
                returned = await asyncio.wrap_future(step)
            except asyncio.CancelledError:
                step.add_done_callback(self._leave)
                raise
            if returned is not None:
                return returned[0]

    def close(self) -> None:
        """Drop what waits and wait for what runs."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _take_step(self, work: Generator[None, None, T]) -> tuple[T] | None:
        """What `work` returns, in a tuple; None, and it keeps its place, if there is more to do."""
        self._change(running=1)
        ends = True
        try:
            deadline.current().raise_if_over()
            next(work)
            ends = False
        except StopIteration as end:
            return (end.value,)
        finally:  # before the caller sees the result, for its client may come again at once
            self._change(admitted=-ends, running=-1)
        return None

    def _leave(self, step: Future[Any]) -> None:
        """Give back the place of work that will have no next step."""
        if step.cancelled() or (step.exception() is None and step.result() is None):
            self._change(admitted=-1)

    def _admit(self) -> None:
        with self._lock:
            if self._admitted >= self._capacity:
                raise QueueFullError(
                    f"expected fewer than {self._capacity} recordings at a time, "
                    f"got one more; try again in {QueueFullError.retry_after_s} s"
                )
            self._change(admitted=1)

    def _change(self, *, admitted: int = 0, running: int = 0) -> None:
        with self._lock:
            self._admitted += admitted
            self._running += running
            self._on_change(self._admitted - self._running, self._running)
