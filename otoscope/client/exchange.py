"""Requests and patience without a network: what to send, when to try again, what came.

Work is a generator. It yields what has to be done, a `Call` to send or a `Pause` to wait, is sent
what came of it, and returns its result. `otoscope.client.clients` does the sending and waiting, one
way for programs that wait and one for those that do not.
"""

import io
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Generic, Self, TypeAlias, TypeVar

import httpx
from pydantic import ValidationError

from otoscope.client.errors import ProblemError, UnexpectedAnswerError, UnreachableError
from otoscope.schemas import Problem

T = TypeVar("T")

File: TypeAlias = bytes | str | Path | BinaryIO
"""A recording: its bytes, its path, or the open file, which is read from its beginning."""

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        file: the recording to send; rewound by whoever sends it.
    """

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None
    file: bytes | BinaryIO | None = None

    def arguments(self) -> dict[str, Any]:
        """Of httpx's `build_request`, which rewinds the file."""
        # A name makes it a file; the recording's own is nobody's business.
        files = None if self.file is None else {"file": ("audio", self.file)}
        return {
            "method": self.method,
            "url": self.path,
            "params": self.params,
            "data": self.data,
            "files": files,
        }


@dataclass(frozen=True)
class Pause:
    """Seconds to wait."""

    seconds: float


Work: TypeAlias = Generator[Call | Pause, httpx.Response | httpx.RequestError | None, T]


class Course(Generic[T]):
    """Work on its way. Use it in `with`: work that is dropped lets go of its files.

    Attributes:
        step: what has to be done next; None once there is a result.
        result: what the work returned.
    """

    result: T

    def __init__(self, work: Work[T]) -> None:
        self.step: Call | Pause | None = None
        self._work = work

    def go_on(self, outcome: httpx.Response | httpx.RequestError | None) -> None:
        """Say what came of the step; raises what the work does."""
        try:
            self.step = self._work.send(outcome)
        except StopIteration as end:
            self.step, self.result = None, end.value

    def __enter__(self) -> Self:
        self.go_on(None)
        return self

    def __exit__(self, *_: object) -> None:
        self._work.close()


@dataclass(frozen=True)
class Patience:
    """How often to try again where nobody listens or the service is busy (503), and how soon.

    Attributes:
        retries: tries after the first.
        first_pause_s: before the second; each further pause is twice as long.
        max_pause_s: the longest. A service that asks for more (Retry-After) is not tried again.
    """

    retries: int = 4
    first_pause_s: float = 0.5
    max_pause_s: float = 60.0

    def pause_s(self, failures: int, asked_s: float) -> float | None:
        """How long to wait after so many failures; None to give up.

        Args:
            failures: 1 or more.
            asked_s: what the service asks for at least.
        """
        if failures > self.retries or asked_s > self.max_pause_s:
            return None
        longer_s: float = min(self.first_pause_s * 2.0 ** (failures - 1), self.max_pause_s)
        return max(asked_s, longer_s)


ONCE = Patience(retries=0)


def ask(call: Call, patience: Patience) -> Work[httpx.Response]:
    """The answer to a call, once it is a good one.

    Only what surely did no work is tried again: a connection that was not made, and 503.

    Raises:
        UnreachableError: if no answer comes.
        ProblemError: if the service says what is wrong.
        UnexpectedAnswerError: if the answer is a redirection.
    """
    failures = 0
    while True:
        outcome = yield call
        failures += 1
        if isinstance(outcome, httpx.Response):
            if outcome.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                return _checked(outcome)
            pause_s = patience.pause_s(failures, retry_after_s(outcome))
            error: Exception = ProblemError(_problem(outcome))
        else:
            not_sent = isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout)
            pause_s = patience.pause_s(failures, 0.0) if not_sent else None
            error = _unreachable(call, outcome)
        if pause_s is None:
            raise error
        yield Pause(pause_s)


def retry_after_s(response: httpx.Response) -> float:
    """Seconds that an answer asks to wait (RFC 9110, section 10.2.3); 0 if it does not say."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


@contextmanager
def sendable(file: File) -> Iterator[bytes | BinaryIO]:
    """A recording that can be sent more than once; what was open stays open."""
    if isinstance(file, bytes):
        yield file
    elif isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            yield opened
    else:
        yield file if file.seekable() else io.BytesIO(file.read())


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        raise ProblemError(_problem(response))
    raise UnexpectedAnswerError(
        f"expected an answer from {response.request.url}, got HTTP {response.status_code}"
    )


def _problem(response: httpx.Response) -> Problem:
    """What an answer says is wrong; of one that is not the service's (a proxy's), its text."""
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        status = response.status_code
        title = response.reason_phrase or f"HTTP {status}"
        text = " ".join(response.text.split())[:_SHOWN_CHARACTERS]
        return Problem(title=title, status=status, detail=text or "no more is known")


def _unreachable(call: Call, error: httpx.RequestError | None) -> UnreachableError:
    what = str(error) or type(error).__name__
    unreachable = UnreachableError(f"no answer to {call.method} {call.path}: {what}")
    unreachable.__cause__ = error
    return unreachable
