"""Threads that tell how long work waited for one of them."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

OnWait = Callable[[float], None]
"""Called with the seconds that a piece of work waited, in the thread that takes it on."""


def unwatched(_waited_s: float) -> None:
    """An `OnWait` for what nobody watches."""


class WatchedThreads(ThreadPoolExecutor):
    """Threads for work that waits in a queue, of which each piece is timed when it leaves."""

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
        """`ThreadPoolExecutor.submit`; what is cancelled while it waits is not counted."""
        submitted_s = time.perf_counter()

        def begin() -> T:
            self._on_wait(time.perf_counter() - submitted_s)
            return fn(*args, **kwargs)

        return super().submit(begin)
