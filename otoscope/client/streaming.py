"""Live streams, for programs that wait and for asynchronous ones."""

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias, TypedDict
from urllib.parse import urlencode

import httpx
from pydantic import TypeAdapter, ValidationError
from websockets.asyncio import client as asynchronous
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync import client as waiting

from otoscope.audio import ContainerName, PcmEncoding
from otoscope.client.errors import (
    ProblemError,
    StreamEndedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from otoscope.client.messages import given, transcribe_form
from otoscope.schemas import Problem
from otoscope.schemas.streaming import SaidMessage
from otoscope.transcript import Style

_END = '{"type": "end"}'
_MOST_BYTES = 2**16
"""Of a message to the service, which takes four times as many."""

_PING_TIMEOUT_S = None
"""A service that is behind reads nothing for a while, pongs to it and pings among that."""

_FAILURES = (OSError, TimeoutError, WebSocketException)
_SAID = frozenset(("speech_started", "partial", "final"))
_said: TypeAdapter[SaidMessage] = TypeAdapter(SaidMessage)

Pieces: TypeAlias = Iterable[bytes]


class StreamOptions(TypedDict, total=False):
    """What /stream takes in its query, see docs/live.md; what is None is left to the service."""

    model: str | None
    encoding: PcmEncoding | ContainerName | None
    sample_rate_hz: int | None
    step_s: float | None
    silence_s: float | None
    settle_s: float | None
    speech_probability: float | None
    style: Style | None
    decoder: str | None
    language_model: bool
    beam_width: int | None
    lm_weight: float | None
    word_bonus: float | None
    hotwords: Mapping[str, float] | list[str] | None


def stream_uri(url: httpx.URL, options: StreamOptions) -> str:
    """The address of a stream, of the service's own."""
    fields = transcribe_form(options)  # type: ignore[arg-type]  # it has hot words alike
    query = urlencode({name: _plain(value) for name, value in given(fields).items()})
    path = f"{url.path.rstrip('/')}/stream"
    scheme = {"http": "ws", "https": "wss"}[url.scheme]
    return str(url.copy_with(scheme=scheme, path=path, query=query.encode()))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def stream(uri: str, headers: Mapping[str, str], pieces: Pieces) -> Iterator[SaidMessage]:
    """Send `pieces` in a thread while messages are given back as they come."""
    failures: list[BaseException] = []
    reader = _Reader()

    def send(socket: waiting.ClientConnection) -> None:
        try:
            for message in _messages(pieces):
                socket.send(message)
        except ConnectionClosed:  # what comes back says why
            return
        except BaseException as error:  # noqa: BLE001 - raised where the caller waits
            failures.append(error)
            socket.close()

    with (
        _client_errors(reader),
        waiting.connect(
            uri, additional_headers=headers, compression=None, ping_timeout=_PING_TIMEOUT_S
        ) as socket,
    ):
        threading.Thread(target=send, args=(socket,), daemon=True).start()
        for message in socket:
            if (said := reader.read(message)) is not None:
                yield said
    if failures:
        raise failures[0]
    reader.check_end()


async def stream_async(
    uri: str, headers: Mapping[str, str], pieces: Pieces | AsyncIterable[bytes]
) -> AsyncIterator[SaidMessage]:
    """`stream` in an event loop; pieces may be awaited, too."""
    failures: list[BaseException] = []
    reader = _Reader()

    async def send(socket: asynchronous.ClientConnection) -> None:
        try:
            async for message in _awaited_messages(pieces):
                await socket.send(message)
        except ConnectionClosed:
            return
        except Exception as error:  # noqa: BLE001 - raised where the caller waits
            failures.append(error)
            await socket.close()

    with _client_errors(reader):
        async with asynchronous.connect(
            uri, additional_headers=headers, compression=None, ping_timeout=_PING_TIMEOUT_S
        ) as socket:
            sending = asyncio.create_task(send(socket))
            try:
                async for message in socket:
                    if (said := reader.read(message)) is not None:
                        yield said
            finally:
                sending.cancel()
    if failures:
        raise failures[0]
    reader.check_end()


@contextmanager
def _client_errors(reader: "_Reader") -> Iterator[None]:
    """Make errors of the connection the client's, unless all was read before."""
    try:
        yield
    except InvalidStatus as error:
        raise _refused(error) from error
    except ConnectionClosed as error:
        if not reader.done:
            raise UnreachableError(f"the stream broke off: {error}") from error
    except _FAILURES as error:
        raise UnreachableError(f"no stream came about: {error or type(error).__name__}") from error


def _messages(pieces: Pieces) -> Iterator[bytes | str]:
    for piece in pieces:
        for at in range(0, len(piece), _MOST_BYTES):
            yield piece[at : at + _MOST_BYTES]
    yield _END


async def _awaited_messages(pieces: Pieces | AsyncIterable[bytes]) -> AsyncIterator[bytes | str]:
    if isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            for at in range(0, len(piece), _MOST_BYTES):
                yield piece[at : at + _MOST_BYTES]
        yield _END
        return
    for message in _messages(pieces):
        yield message


class _Reader:
    """Reads the messages of a stream.

    Attributes:
        done: whether the last one was read.
    """

    def __init__(self) -> None:
        self.done = False
        self._ended: StreamEndedError | None = None

    def read(self, message: str | bytes) -> SaidMessage | None:
        """The words of a message; None if it has none; ProblemError if it is an error."""
        try:
            document: dict[str, Any] = TypeAdapter(dict[str, Any]).validate_json(message)
            if document["type"] == "error":
                kind = document.get("kind", "about:blank")
                raise ProblemError(Problem.model_validate({**document, "type": kind}))
            if document["type"] == "closing":
                self._ended = StreamEndedError(str(document.get("reason")))
            self.done = self.done or document["type"] == "done"
            return _said.validate_python(document) if document["type"] in _SAID else None
        except (ValidationError, KeyError) as error:
            raise UnexpectedAnswerError(f"expected a message of a stream, got: {error}") from error

    def check_end(self) -> None:
        """Raise if it was not the client that ended the stream.

        Raises:
            UnreachableError: if it was closed before its last message.
            StreamEndedError: if the service has ended it.
        """
        if not self.done:
            raise UnreachableError("the stream broke off: it was closed before it was done")
        if self._ended is not None:
            raise self._ended


def _refused(error: InvalidStatus) -> ProblemError | UnreachableError:
    """What a refused handshake says, if the service did it."""
    try:
        return ProblemError(Problem.model_validate_json(error.response.body or b""))
    except ValidationError:
        return UnreachableError(f"the stream was refused: {error}")
