"""The two clients: the same requests, sent and waited for in two ways."""

import asyncio
import re
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Self, TypeVar, Unpack

import httpx

from otoscope.client.errors import AddressError
from otoscope.client.events import TranscriptionEvent, read_events, read_events_async
from otoscope.client.messages import (
    AlignOptions,
    File,
    FileProbsOptions,
    Probs,
    ProbsFile,
    ProbsOptions,
    TranscribeOptions,
)
from otoscope.client.requests import Requests
from otoscope.client.retries import RetryPolicy
from otoscope.client.streaming import Pieces, StreamOptions, stream, stream_async, stream_uri
from otoscope.features import FeatureMatrix
from otoscope.formats import MatrixFormat
from otoscope.schemas import AlignmentAnswer, ModelAnswer, ReadyAnswer, Transcription
from otoscope.schemas.streaming import SaidMessage

S = TypeVar("S")
T = TypeVar("T")

DEFAULT_ADDRESS = "http://127.0.0.1:8000"
DEFAULT_TIMEOUT_S = 600.0
CONNECT_TIMEOUT_S = 10.0

_KEY = re.compile(r"[!-~]+")
_RETRY = RetryPolicy()


class AsyncClient(Requests):
    """`Client` for asynchronous programs: the same methods, awaited.

    Files are read in the event loop, bit by bit as they are sent.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retry: RetryPolicy = _RETRY,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Arguments as for `Client`."""
        settings = _settings(address, api_key, timeout_s)
        self._http = httpx.AsyncClient(transport=transport, **settings)
        self._keys: dict[str, str] = settings["headers"]
        super().__init__(
            self._http.build_request, self._http.send, self._open_one, asyncio.sleep, retry
        )

    async def transcribe_events(
        self, file: File, **options: Unpack[TranscribeOptions]
    ) -> AsyncIterator[TranscriptionEvent]:
        """`transcribe` with progress; see `Client.transcribe_events`."""
        async for event in read_events_async(await self.open_events(file, options)):
            yield event

    def stream(
        self, pieces: Pieces | AsyncIterable[bytes], **options: Unpack[StreamOptions]
    ) -> AsyncIterator[SaidMessage]:
        """Words while they are spoken; `pieces` of samples may be awaited."""
        return stream_async(stream_uri(self._http.base_url, options), self._keys, pieces)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _open_one(self, request: httpx.Request) -> httpx.Response:
        response = await self._http.send(request, stream=True)
        if not response.is_success:
            await response.aread()
        return response

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Client:
    """The service, for programs that wait for its responses. Close it, or use it in `with`.

    Every method raises UnreachableError if no response comes, ProblemError with what the service
    says is wrong, UnexpectedAnswerError if the response is not the service's, and OSError if a file
    can't be read.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retry: RetryPolicy = _RETRY,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            address: of the service, with a path if it is served below one.
            api_key: one of its keys, if it has any.
            timeout_s: longest silence of the service; a response takes as long as the recognition.
            retry: how often to try again.
            transport: httpx's, if it has to be another.

        Raises:
            AddressError: if the address or the key can't be used.
        """
        settings = _settings(address, api_key, timeout_s)
        self._http = httpx.Client(transport=transport, **settings)
        self._keys: dict[str, str] = settings["headers"]
        # These coroutines never suspend, so `_run` needs no event loop.
        send, sleep = _awaitable(self._http.send), _awaitable(time.sleep)
        open_ = _awaitable(self._open_one)
        self._requests = Requests(self._http.build_request, send, open_, sleep, retry)

    def transcribe(self, file: File, **options: Unpack[TranscribeOptions]) -> Transcription:
        """What is said in a recording."""
        return _run(self._requests.transcribe(file, **options))

    def transcribe_events(
        self, file: File, **options: Unpack[TranscribeOptions]
    ) -> Iterator[TranscriptionEvent]:
        """`transcribe` with progress: `ProgressAnswer`, `FinishedAnswer`, and last the result.

        A recording of less than a minute may give only the result.
        """
        yield from read_events(_run(self._requests.open_events(file, options)))

    def align(self, file: File, text: str, **options: Unpack[AlignOptions]) -> AlignmentAnswer:
        """Where each character of a known text is."""
        return _run(self._requests.align(file, text, **options))

    def transcription(self, result_id: str) -> Transcription:
        """What `transcribe` gave, again."""
        return _run(self._requests.transcription(result_id))

    def stream(self, pieces: Pieces, **options: Unpack[StreamOptions]) -> Iterator[SaidMessage]:
        """Words while they are spoken.

        Args:
            pieces: bytes of samples, any number at a time; a thread takes them as they come.
            options: of the stream, as its encoding and rate.

        Returns:
            Messages as they come, until `pieces` and what is said in them end. What `pieces` raises
            ends them, too.

        Raises:
            StreamEndedError: after the last message, if the service ends the stream.
            UnreachableError: if the connection ends before the last message.
        """
        return stream(stream_uri(self._http.base_url, options), self._keys, pieces)

    def delete(self, result_id: str) -> None:
        """Have text, posteriors and features of a result removed."""
        _run(self._requests.delete(result_id))

    def probs(self, result_id: str, **options: Unpack[ProbsOptions]) -> Probs:
        """P(c | x_t) of what was transcribed."""
        return _run(self._requests.probs(result_id, **options))

    def probs_of_file(self, file: File, **options: Unpack[FileProbsOptions]) -> Probs:
        """P(c | x_t) of a recording, of which the service keeps nothing."""
        return _run(self._requests.probs_of_file(file, **options))

    def write_probs(
        self, file: File, form: MatrixFormat, **options: Unpack[FileProbsOptions]
    ) -> ProbsFile:
        """`probs_of_file` as a file: JSON, CSV, npy or a PNG picture."""
        return _run(self._requests.write_probs(file, form, **options))

    def features(self, result_id: str) -> FeatureMatrix:
        """The features of what was transcribed, as the model read them."""
        return _run(self._requests.features(result_id))

    def model(self, name: str | None = None) -> ModelAnswer:
        """The model of the service; of several the default one, or that of a name."""
        return _run(self._requests.model(name))

    def health(self) -> ReadyAnswer:
        """That the service is ready; ProblemError with status 503 if it is not."""
        return _run(self._requests.health())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _open_one(self, request: httpx.Request) -> httpx.Response:
        response = self._http.send(request, stream=True)
        if not response.is_success:
            response.read()
        return response

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _awaitable(function: Callable[[S], T]) -> Callable[[S], Coroutine[Any, Any, T]]:
    async def call(argument: S) -> T:
        return function(argument)

    return call


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine that never suspends returns: its first step is its last."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("expected a coroutine that never suspends")


def _settings(address: str, api_key: str | None, timeout_s: float) -> dict[str, Any]:
    """Of both of httpx's clients; AddressError if the address or the key can't be used."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise AddressError(f"expected http://host:port or https://..., got {address!r}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise AddressError(f"expected http://host:port or https://..., got {address!r}")
    if api_key is not None and not _KEY.fullmatch(api_key):
        raise AddressError("expected an API key of visible ASCII characters, got another")
    return {
        "base_url": url,
        "headers": {} if api_key is None else {"Authorization": f"Bearer {api_key}"},
        "timeout": httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
    }
