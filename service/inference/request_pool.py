"""Threads for the heavy work, and a bound on what may wait for them.

Decoding, onnxruntime and numpy release the interpreter's lock while they compute, so threads share
the cores and the event loop stays free to answer.
"""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from service.errors import QueueFullError
from service.inference import deadline
from service.inference.watched_threads import OnWait, WatchedThreads, unwatched

T = TypeVar("T")

Steps = Generator[object, None, T]
"""Work in steps. Between two it may yield a future to wait for, which occupies no thread, or, for
`Place.stream_steps`, an intermediate result."""

_LOOK_S = 0.25
"""How often a request that waits looks whether it is over."""


@dataclass(frozen=True)
class Returned(Generic[T]):
    """The final result of work in steps."""

    value: T


class RequestPool:
    """A fixed number of threads, for a bounded number of pieces of work."""

    def __init__(
        self,
        threads: int,
        capacity: int,
        on_change: Callable[[int, int], None] = lambda _waiting, _running: None,
        on_wait: OnWait = unwatched,
    ) -> None:
        """Start empty.

        Args:
            threads: pieces of work done at the same time.
            capacity: pieces taken on at a time; those beyond `threads` wait.
            on_change: called with how many pieces wait and how many run whenever that changes; from
                any thread and under a lock, so it has to be quick.
            on_wait: called with the seconds that each step waited for a thread.
        """
        self._executor = WatchedThreads(threads, "inference", on_wait)
        self._capacity = capacity
        self._admitted = 0
        self._running = 0
        self._on_change = on_change
        self._lock = threading.RLock()

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """A place for one piece of work, from before its request is read until it is done.

        Raises:
            QueueFullError: at once, if all are taken.
        """
        with self._lock:
            if self._admitted >= self._capacity:
                raise QueueFullError(
                    f"expected fewer than {self._capacity} recordings at a time, "
                    f"got one more; try again in {QueueFullError.retry_after_s} s"
                )
            self._change(admitted=1)
        place = Place(self._executor, self._change)
        try:
            yield place
        finally:
            place.leave()

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread: `run_steps` with a single step, which raises the same."""

        def single() -> Steps[T]:
            yield from ()
            return work()

        return await self.run_steps(single())

    async def run_steps(self, work: Steps[T]) -> T:
        """Do `work` in a place of its own; raises as `place` and `Place.run_steps` do."""
        with self.place() as place:
            return await place.run_steps(work)

    def close(self) -> None:
        """Drop what waits and wait for what runs."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _change(self, *, admitted: int = 0, running: int = 0) -> None:
        with self._lock:
            self._admitted += admitted
            self._running += running
            self._on_change(self._admitted - self._running, self._running)


class Place:
    """What one request has of a `RequestPool`."""

    def __init__(self, executor: Executor, change: Callable[..., None]) -> None:
        self._executor = executor
        self._change = change
        self._step: Future[object] | None = None

    async def run_steps(self, work: Steps[T]) -> T:
        """Do `work` in threads, step by step, and give back what it returns or raises.

        All steps are done in the caller's context. What already waits for a thread goes before the
        next step, so nothing waits for the end of an hour of audio. A caller that stops waiting
        ends the work after the step that is running, and until then the work keeps its place.

        Raises:
            ClientGoneError, DeadlineError: as soon as the request is over.
            RuntimeError: if the pool is closed.
        """
        context = contextvars.copy_context()
        while True:
            self._step = self._executor.submit(context.run, self._take_step, work)
            await _until_done(self._step)
            match self._step.result():
                case Returned(value):
                    result: T = value
                    return result
                case Future() as awaited:
                    await _until_done(awaited)

    async def stream_steps(self, work: Steps[T]) -> AsyncIterator[object | Returned[T]]:
        """`run_steps` with intermediate results: these as they come, and last a `Returned`.

        Steps run only on demand, so a slow consumer delays the work.
        """
        while not isinstance(output := await self.run_steps(_until_output(work)), Returned):
            yield output
        yield output

    def leave(self) -> None:
        """Give the place back, once the step that runs has ended."""
        if self._step is None or self._step.cancel() or self._step.done():
            self._change(admitted=-1)
        else:
            self._step.add_done_callback(lambda _: self._change(admitted=-1))

    def _take_step(self, work: Steps[T]) -> object | Returned[T]:
        """What `work` yields, or has returned."""
        self._change(running=1)
        try:
            deadline.raise_if_over()
            return next(work)
        except StopIteration as end:
            return Returned(end.value)
        finally:  # before the caller sees the result, for its client may come again at once
            self._change(running=-1)


def _until_output(work: Steps[T]) -> Steps[object | Returned[T]]:
    """The steps of `work` up to its next intermediate or final result, which is returned."""
    while True:
        try:
            output = next(work)
        except StopIteration as end:
            return Returned(end.value)
        if output is not None and not isinstance(output, Future):
            return output
        yield output


async def _until_done(future: Future[Any]) -> None:
    """Wait for what threads do; if the request is over before, have it dropped if it can be."""
    request, wrapped = deadline.current(), asyncio.wrap_future(future)
    try:
        while not (await asyncio.wait({wrapped}, timeout=min(request.left_s, _LOOK_S)))[0]:
            request.raise_if_over()
    finally:
        future.cancel()
        wrapped.cancel()
        if wrapped.done() and not wrapped.cancelled():
            wrapped.exception()  # read, though its caller has left: asyncio would log it
