"""A thread pool that reports how long work waited in its queue."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

OnWait = Callable[[float], None]
"""Called with the seconds that a call waited, in the thread that runs it."""


def unwatched(_waited_s: float) -> None:
    """An `OnWait` that does nothing."""


class WatchedThreads(ThreadPoolExecutor):
    """A thread pool that measures the waiting time of each call in its queue."""

    def __init__(
        self,
        threads: int,
        name: str,
        on_wait: OnWait = unwatched,
        initializer: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(threads, name, initializer)
        self._on_wait = on_wait

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """`ThreadPoolExecutor.submit`; calls cancelled while waiting are not counted."""
        submitted_s = time.perf_counter()

        def begin() -> T:
            self._on_wait(time.perf_counter() - submitted_s)
            return fn(*args, **kwargs)

        return super().submit(begin)
