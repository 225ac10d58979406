"""What can go wrong here, and the one table from the domain's errors to HTTP.

Every error is an RFC 9457 problem document. Its `type` names the kind for programs, its `detail`
says what was expected and what came for people. Below /v1 it takes the form of OpenAI's errors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection

from otoscope import errors as domain
from otoscope.schemas import Problem
from service.openai_api import errors as openai

PROBLEM_JSON = "application/problem+json"


class StartError(Exception):
    """The service can't start as it is configured."""


class ServiceError(Exception):
    """Base of every error this service answers a request with on purpose."""


class UnauthorizedError(ServiceError):
    """No API key came, or none that is valid.

    Attributes:
        wrong: whether one came.
    """

    def __init__(self, message: str, *, wrong: bool) -> None:
        super().__init__(message)
        self.wrong = wrong


class FormError(domain.OptionsError):
    """The request's form is not one this service takes.

    Attributes:
        param: the field that is wrong, if it is one.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class UnknownModelError(ServiceError):
    """The model asked for by name is not the one that is served."""

    param = "model"


class UploadTooLargeError(ServiceError):
    """More bytes than a request may have."""


class UploadStalledError(ServiceError):
    """The request's body stopped arriving."""


class QueueFullError(ServiceError):
    """As many recordings wait as may wait.

    Attributes:
        retry_after_s: when to try again, in seconds.
    """

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineError(ServiceError):
    """The request has taken as long as a request may."""

    retry_after_s = 10


class SearchLostError(ServiceError):
    """The process that searched for the text died, and so did the one that tried again."""

    retry_after_s = 5


class ClientGoneError(ServiceError):
    """The client has closed its connection: nobody waits for this answer."""


class UnknownResultError(ServiceError):
    """No result ever had this id, or it is long gone."""


class ExpiredResultError(ServiceError):
    """The result was kept for a time, and is no longer."""


class QueryError(domain.ViewError):
    """The query asks for what this format can't hold."""


class NotAcceptableError(ServiceError):
    """Accept allows none of the formats that an answer can take."""


class StoreError(ServiceError):
    """The store of results failed."""


class StoreRefusedError(StoreError):
    """The store of results does not let this service in."""


class NotReadyError(ServiceError):
    """The warm-up has not passed."""


@dataclass(frozen=True)
class Kind:
    """How one class of errors looks from outside."""

    status: int
    slug: str
    title: str


KINDS: Mapping[type[Exception], Kind] = {
    domain.AudioError: Kind(422, "audio", "The audio can't be used"),
    domain.EmptyAudioError: Kind(422, "audio-empty", "There is no audio"),
    domain.AudioRateError: Kind(422, "audio-rate", "The sample rate is too low"),
    domain.AudioTooShortError: Kind(422, "audio-too-short", "The audio is too short"),
    domain.NonFiniteAudioError: Kind(422, "audio-non-finite", "The audio holds NaN or infinity"),
    domain.UnreadableAudioError: Kind(415, "audio-unreadable", "The file is not readable audio"),
    domain.AudioTooLongError: Kind(413, "audio-too-long", "The audio is too long"),
    domain.TextError: Kind(422, "text", "The text can't be used"),
    domain.EmptyTextError: Kind(422, "text-empty", "There is no text"),
    domain.UnsupportedTextError: Kind(422, "text-unsupported", "The alphabet lacks characters"),
    domain.UnalignableTextError: Kind(422, "text-unalignable", "The text needs more frames"),
    domain.OptionsError: Kind(422, "form", "The form is not as expected"),
    domain.ViewError: Kind(422, "query", "The query is not as expected"),
    domain.NoPhonemesError: Kind(422, "no-phonemes", "The model has no phoneme head"),
    UnauthorizedError: Kind(401, "unauthorized", "An API key is needed"),
    UploadTooLargeError: Kind(413, "upload-too-large", "The request is too large"),
    UploadStalledError: Kind(408, "upload-stalled", "The request stopped arriving"),
    UnknownModelError: Kind(404, "model-unknown", "There is no such model"),
    NotAcceptableError: Kind(406, "not-acceptable", "No format that is offered is accepted"),
    UnknownResultError: Kind(404, "result-unknown", "There is no such result"),
    ExpiredResultError: Kind(410, "result-expired", "The result is no longer kept"),
    QueueFullError: Kind(503, "queue-full", "The service is busy"),
    DeadlineError: Kind(503, "deadline", "The answer took too long"),
    SearchLostError: Kind(503, "search-lost", "The search for the text was broken off"),
    ClientGoneError: Kind(400, "client-gone", "The client left before its answer"),
    StoreError: Kind(503, "store", "The store of results failed"),
    StoreRefusedError: Kind(503, "store-refused", "The store lets this service not in"),
    NotReadyError: Kind(503, "not-ready", "The service is not ready"),
    ClientDisconnect: Kind(400, "disconnected", "The client left before its request was whole"),
}
"""A class stands for its subclasses too, unless they have a line of their own."""


def add_handlers(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""
    for error_class in KINDS:
        app.add_exception_handler(error_class, _on_known)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(Exception, _on_unexpected)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says in OpenAPI about the errors it answers with."""
    content = {PROBLEM_JSON: {"schema": Problem.model_json_schema()}}
    return {
        status: {
            "description": "; ".join(k.title for k in KINDS.values() if k.status == status)
            or HTTPStatus(status).phrase,
            "content": content,
        }
        for status in statuses
    }


def describe(problems: Iterable[Any]) -> list[str]:
    """Pydantic's findings as "field: what was expected, got this"."""
    lines = []
    for problem in problems:
        field = ".".join(str(part) for part in problem["loc"])
        lines.append(f"{field}: {_expected_and_got(problem)}")
    return lines


def _expected_and_got(problem: Any) -> str:  # noqa: ANN401 - one of pydantic's ErrorDetails
    match problem["type"]:
        case "missing":
            return str(problem["msg"])
        case "value_error":  # from a validator of this project, which says what came itself
            return str(problem["ctx"]["error"])
        case _:
            return f"{problem['msg']}, got {problem['input']!r:.80}"


def answer_to(connection: HTTPConnection, error: Exception) -> JSONResponse:
    """The answer to an error that KINDS knows."""
    kind = next(KINDS[base] for base in type(error).__mro__ if base in KINDS)
    problem = Problem(
        type=f"urn:otoscope:problem:{kind.slug}",
        title=kind.title,
        status=kind.status,
        detail=str(error) or kind.title,
    )
    return _answer(connection, problem, _headers(error), getattr(error, "param", None))


def _answer(
    connection: HTTPConnection,
    problem: Problem,
    headers: Mapping[str, str] | None = None,
    param: str | None = None,
) -> JSONResponse:
    """`problem` in the form that clients of its path expect."""
    if connection.url.path.startswith(openai.PREFIX):
        return openai.answer(problem, headers, param)
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=PROBLEM_JSON,
    )


def _plain(status: int, detail: str, errors: Sequence[str] = ()) -> Problem:
    """A problem that its status alone names."""
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=list(errors) if len(errors) > 1 else None,
    )


async def _on_known(request: Request, error: Exception) -> JSONResponse:
    return answer_to(request, error)


def _headers(error: Exception) -> dict[str, str]:
    """What an error says beside its document."""
    if isinstance(error, QueueFullError | DeadlineError | SearchLostError):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, UnauthorizedError):
        wrong = ', error="invalid_token"' if error.wrong else ""  # RFC 6750, section 3
        return {"WWW-Authenticate": f'Bearer realm="otoscope"{wrong}'}
    return {}


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    """Starlette's own refusals: unknown routes, wrong methods, malformed multipart bodies."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = f"{detail}: {request.method} {request.url.path}"
    return _answer(request, _plain(error.status_code, detail), error.headers)


async def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    lines = describe(error.errors())
    return _answer(request, _plain(422, "; ".join(lines), lines))


async def _on_unexpected(request: Request, _: Exception) -> JSONResponse:
    """No internals leave; Starlette raises the error again behind this, and the server logs it."""
    detail = f"{request.method} {request.url.path} failed; the log says why"
    return _answer(request, _plain(500, detail))
