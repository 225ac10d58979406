"""The two clients: the same calls, sent and waited for in two ways."""

import asyncio
import re
import time
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx

from otoscope.client import calls
from otoscope.client.calls import MatrixFormat, ProbsOptions, TranscribeOptions
from otoscope.client.errors import AddressError
from otoscope.client.exchange import Call, Course, File, Patience, Pause, Work
from otoscope.client.results import Probs
from otoscope.features import FeatureMatrix
from otoscope.schemas import AlignmentAnswer, ModelAnswer, ReadyAnswer, Transcription

T = TypeVar("T")

DEFAULT_TIMEOUT_S = 600.0
CONNECT_TIMEOUT_S = 10.0

_KEY = re.compile(r"[!-~]+")
_PATIENT = Patience()


class Client:
    """The service, asked by a program that waits for its answers. Close it, or use it in `with`.

    Every method raises UnreachableError if no answer comes, ProblemError with what the service says
    is wrong, UnexpectedAnswerError if what answers is something else, and OSError if a file can't
    be read.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        patience: Patience = _PATIENT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            address: of the service, with a path if it is served below one.
            api_key: one of its keys, if it has any.
            timeout_s: longest silence of the service; an answer takes as long as the recognition.
            patience: how often to try again.
            transport: httpx's, if it has to be another.

        Raises:
            AddressError: if the address or the key can't be used.
        """
        self._patience = patience
        self._http = httpx.Client(transport=transport, **_settings(address, api_key, timeout_s))

    def transcribe(self, file: File, **options: Unpack[TranscribeOptions]) -> Transcription:
        """What is said in a recording."""
        return self._do(calls.transcribe(file, options, self._patience))

    def align(self, file: File, text: str) -> AlignmentAnswer:
        """Where each character of a known text is."""
        return self._do(calls.align(file, text, self._patience))

    def transcription(self, result_id: str) -> Transcription:
        """What `transcribe` gave, again."""
        return self._do(calls.transcription(result_id, self._patience))

    def delete(self, result_id: str) -> None:
        """Have text, posteriors and features of a result removed."""
        self._do(calls.delete(result_id, self._patience))

    def probs(self, result_id: str, **options: Unpack[ProbsOptions]) -> Probs:
        """P(c | x_t) of what was transcribed."""
        return self._do(calls.probs(result_id, options, self._patience))

    def probs_of_file(self, file: File, **options: Unpack[ProbsOptions]) -> Probs:
        """P(c | x_t) of a recording, of which the service keeps nothing."""
        return self._do(calls.probs_of_file(file, options, self._patience))

    def write_probs(self, file: File, form: MatrixFormat, **options: Unpack[ProbsOptions]) -> bytes:
        """`probs_of_file` as a file: JSON, CSV, npy or a PNG picture."""
        return self._do(calls.write_probs(file, form, options, self._patience))

    def features(self, result_id: str) -> FeatureMatrix:
        """X of what was transcribed, as the model read it."""
        return self._do(calls.features(result_id, self._patience))

    def model(self) -> ModelAnswer:
        """The model that listens."""
        return self._do(calls.model(self._patience))

    def health(self) -> ReadyAnswer:
        """That the service is ready; ProblemError with status 503 if it is not."""
        return self._do(calls.health())

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _do(self, work: Work[T]) -> T:
        with Course(work) as course:
            while (step := course.step) is not None:
                course.go_on(self._take(step))
        return course.result

    def _take(self, step: Call | Pause) -> httpx.Response | httpx.RequestError | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._http.send(self._http.build_request(**step.arguments()))
        except httpx.RequestError as error:
            return error


class AsyncClient:
    """`Client` for programs that do other things meanwhile: the same methods, awaited.

    Files are read in the event loop, bit by bit as they are sent.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        patience: Patience = _PATIENT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Arguments as for `Client`."""
        self._patience = patience
        self._http = httpx.AsyncClient(
            transport=transport, **_settings(address, api_key, timeout_s)
        )

    async def transcribe(self, file: File, **options: Unpack[TranscribeOptions]) -> Transcription:
        """As `Client.transcribe`."""
        return await self._do(calls.transcribe(file, options, self._patience))

    async def align(self, file: File, text: str) -> AlignmentAnswer:
        """As `Client.align`."""
        return await self._do(calls.align(file, text, self._patience))

    async def transcription(self, result_id: str) -> Transcription:
        """As `Client.transcription`."""
        return await self._do(calls.transcription(result_id, self._patience))

    async def delete(self, result_id: str) -> None:
        """As `Client.delete`."""
        await self._do(calls.delete(result_id, self._patience))

    async def probs(self, result_id: str, **options: Unpack[ProbsOptions]) -> Probs:
        """As `Client.probs`."""
        return await self._do(calls.probs(result_id, options, self._patience))

    async def probs_of_file(self, file: File, **options: Unpack[ProbsOptions]) -> Probs:
        """As `Client.probs_of_file`."""
        return await self._do(calls.probs_of_file(file, options, self._patience))

    async def write_probs(
        self, file: File, form: MatrixFormat, **options: Unpack[ProbsOptions]
    ) -> bytes:
        """As `Client.write_probs`."""
        return await self._do(calls.write_probs(file, form, options, self._patience))

    async def features(self, result_id: str) -> FeatureMatrix:
        """As `Client.features`."""
        return await self._do(calls.features(result_id, self._patience))

    async def model(self) -> ModelAnswer:
        """As `Client.model`."""
        return await self._do(calls.model(self._patience))

    async def health(self) -> ReadyAnswer:
        """As `Client.health`."""
        return await self._do(calls.health())

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _do(self, work: Work[T]) -> T:
        with Course(work) as course:
            while (step := course.step) is not None:
                course.go_on(await self._take(step))
        return course.result

    async def _take(self, step: Call | Pause) -> httpx.Response | httpx.RequestError | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._http.send(self._http.build_request(**step.arguments()))
        except httpx.RequestError as error:
            return error


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
