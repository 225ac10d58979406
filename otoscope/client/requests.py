"""The requests of both clients, as coroutines."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Unpack

import httpx

from otoscope.client.errors import AddressError, ClientError, UnreachableError
from otoscope.client.events import EVENT_STREAM
from otoscope.client.messages import (
    AlignOptions,
    File,
    FileProbsOptions,
    Probs,
    ProbsFile,
    ProbsOptions,
    TranscribeOptions,
    checked,
    given,
    problem_of,
    read,
    read_features,
    read_probs,
    read_probs_file,
    sendable,
    transcribe_form,
)
from otoscope.client.retries import NO_RETRIES, RetryPolicy, retry_after_s
from otoscope.features import FeatureMatrix
from otoscope.formats import MatrixFormat
from otoscope.schemas import (
    AlignmentAnswer,
    ModelAnswer,
    ProbsAnswer,
    ReadyAnswer,
    Transcription,
)

_SAME_AGAIN = ("deadline",)
"""What a busy service says (503) of a request that took too long, as it would again."""

_FIRST_FRAME = {"from_s": 0.0, "to_s": 0.001}


class Requests:
    """What the service can be asked; `otoscope.client.Client` describes each method."""

    def __init__(
        self,
        build: Callable[..., httpx.Request],
        send: Callable[[httpx.Request], Awaitable[httpx.Response]],
        open_: Callable[[httpx.Request], Awaitable[httpx.Response]],
        sleep: Callable[[float], Awaitable[None]],
        retry: RetryPolicy,
    ) -> None:
        """Of a client of httpx, its `build_request` and `send`; `sleep` waits before retries.

        `open_` also sends, but leaves the body of a successful response unread.
        """
        self._build = build
        self._send = send
        self._open = open_
        self._sleep = sleep
        self._retry = retry

    async def transcribe(self, file: File, **options: Unpack[TranscribeOptions]) -> Transcription:
        form = transcribe_form(options)
        return read(Transcription, await self._request("POST", "/transcribe", file, data=form))

    async def open_events(self, file: File, options: TranscribeOptions) -> httpx.Response:
        form, headers = transcribe_form(options), {"Accept": EVENT_STREAM}
        send = self._open
        return await self._request(
            "POST", "/transcribe", file, data=form, headers=headers, send=send
        )

    async def align(
        self, file: File, text: str, **options: Unpack[AlignOptions]
    ) -> AlignmentAnswer:
        form = {"text": text, **given(options)}
        return read(AlignmentAnswer, await self._request("POST", "/align", file, data=form))

    async def transcription(self, result_id: str) -> Transcription:
        return read(Transcription, await self._request("GET", _path_of(result_id)))

    async def delete(self, result_id: str) -> None:
        await self._request("DELETE", _path_of(result_id))

    async def probs(self, result_id: str, **options: Unpack[ProbsOptions]) -> Probs:
        query = {"id": result_id, **given(options)}
        response = await self._request("GET", "/probs", params={**query, "format": "npy"})
        # The names of the columns are in JSON only.
        first = {**query, "format": "json", **_FIRST_FRAME}
        named = read(ProbsAnswer, await self._request("GET", "/probs", params=first))
        return read_probs(response, named.symbols, named.unit)

    async def probs_of_file(self, file: File, **options: Unpack[FileProbsOptions]) -> Probs:
        query = {"format": "npy", **given(options)}
        response = await self._request("POST", "/probs", file, params=query)
        spec = (await self.model(options.get("model"))).spec
        unit = options.get("unit", "character")
        symbols = spec.phonemes if unit == "phoneme" else spec.alphabet
        return read_probs(response, symbols.class_names if symbols else (), unit)

    async def write_probs(
        self, file: File, form: MatrixFormat, **options: Unpack[FileProbsOptions]
    ) -> ProbsFile:
        query = {"format": form, **given(options)}
        return read_probs_file(await self._request("POST", "/probs", file, params=query))

    async def features(self, result_id: str) -> FeatureMatrix:
        query = {"id": result_id, "format": "npy"}
        return read_features(await self._request("GET", "/features", params=query))

    async def model(self, name: str | None = None) -> ModelAnswer:
        query = given({"model": name})
        return read(ModelAnswer, await self._request("GET", "/model", params=query))

    async def health(self) -> ReadyAnswer:
        response = await self._request("GET", "/health/ready", retry=NO_RETRIES)
        return read(ReadyAnswer, response)

    async def _request(
        self,
        method: str,
        path: str,
        file: File | None = None,
        *,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        send: Callable[[httpx.Request], Awaitable[httpx.Response]] | None = None,
        retry: RetryPolicy | None = None,
    ) -> httpx.Response:
        """A successful response, after retries where they make sense."""
        retry, send = retry or self._retry, send or self._send
        failures = 0
        with sendable(file) as body:
            # The name makes it a file; the recording's own name stays here.
            files = None if body is None else {"file": ("audio", body)}
            while True:
                failures += 1
                failure: ClientError
                try:
                    # Built for each try, which rewinds the file.
                    fields = {"params": params, "data": data, "headers": headers}
                    response = await send(self._build(method, path, files=files, **fields))
                except httpx.RequestError as error:
                    what = str(error) or type(error).__name__
                    failure = UnreachableError(f"no answer to {method} {path}: {what}")
                    failure.__cause__ = error
                    not_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                    pause_s = retry.pause_s(failures, 0.0) if not_sent else None
                else:
                    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                        return checked(response)
                    failure = problem = problem_of(response)
                    again = problem.slug not in _SAME_AGAIN
                    pause_s = retry.pause_s(failures, retry_after_s(response)) if again else None
                if pause_s is None:
                    raise failure
                await self._sleep(pause_s)


def _path_of(result_id: str) -> str:
    if not result_id.isalnum():
        raise AddressError(f"expected the id of a result, got {result_id!r}")
    return f"/transcriptions/{result_id}"
