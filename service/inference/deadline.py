"""How long the work for a request is worth doing: until its client leaves, or its time is over.

Each request's `Deadline` is in its context, which the threads that work for it share. They ask it
before each piece of work, and while they wait; what has begun in a thread is finished.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from service.errors import ClientGoneError, DeadlineError


class Deadline:
    """When the work for one request ends. Safe to share between threads."""

    def __init__(self, limit_s: float, began_s: float | None = None) -> None:
        """End `limit_s` seconds after `began_s`, by `time.monotonic`; by default it begins now."""
        self._limit_s = limit_s
        self._end_s = (time.monotonic() if began_s is None else began_s) + limit_s
        self._cancelled = False

    def cancel(self) -> None:
        """End now: the client has gone."""
        self._cancelled = True

    @property
    def left_s(self) -> float:
        """Seconds until its end, at least 0."""
        return max(0.0, self._end_s - time.monotonic())

    def raise_if_over(self) -> None:
        """Raise ClientGoneError or DeadlineError if no more work is to be done."""
        if self._cancelled:
            raise ClientGoneError("the client left before its answer")
        if time.monotonic() >= self._end_s:
            raise DeadlineError(
                f"expected to answer within {self._limit_s:g} s, and the service is too busy to"
            )


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current() -> Deadline:
    """That of the request which this context works for; outside of one, a deadline without end."""
    return _current.get() or Deadline(float("inf"))


def raise_if_over() -> None:
    """`Deadline.raise_if_over` of the current one."""
    current().raise_if_over()


@contextmanager
def applies(deadline: Deadline) -> Iterator[Deadline]:
    """Make it the current one of what is done inside."""
    token = _current.set(deadline)
    try:
        yield deadline
    finally:
        _current.reset(token)
