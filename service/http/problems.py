"""Errors as HTTP responses: the one table from errors to statuses, and their documents.

Every error is an RFC 9457 problem document. Its `type` names the kind for programs, its `detail`
says what was expected and what came for people. An API with errors of its own form renders them
itself: `add_handlers` is told below which path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from otoscope import errors as domain
from otoscope.schemas import Problem
from otoscope.strict_json import describe
from service import errors

_MOST_CHARACTERS = 1500
"""Of a problem's detail, whatever it quotes; what is quoted alone is at most 200."""

_MOST_LINES = 20
"""Of a list of what is wrong."""

PROBLEM_JSON = "application/problem+json"

Render = Callable[[Problem, Mapping[str, str], str | None], JSONResponse]
"""A problem, headers, and the field that is wrong, if it is one -> the response."""


@dataclass(frozen=True)
class Kind:
    """How one class of errors looks from outside.

    Attributes:
        slug: of its type; None for errors of the library, which have their own.
    """

    status: int
    title: str
    slug: str | None = None


KINDS: Mapping[type[Exception], Kind] = {
    domain.AudioError: Kind(422, "The audio can't be used"),
    domain.EmptyAudioError: Kind(422, "There is no audio"),
    domain.AudioRateError: Kind(422, "The sample rate is too low"),
    domain.AudioTooShortError: Kind(422, "The audio is too short"),
    domain.NonFiniteAudioError: Kind(422, "The audio holds NaN or infinity"),
    domain.UnreadableAudioError: Kind(415, "The file is not readable audio"),
    domain.AudioTooLongError: Kind(413, "The audio is too long"),
    domain.TextError: Kind(422, "The text can't be used"),
    domain.EmptyTextError: Kind(422, "There is no text"),
    domain.UnsupportedTextError: Kind(422, "The alphabet lacks characters"),
    domain.UnalignableTextError: Kind(422, "The text needs more frames"),
    domain.OptionsError: Kind(422, "The form is not as expected", "form"),
    domain.ViewError: Kind(422, "The query is not as expected", "query"),
    domain.NoPhonemesError: Kind(422, "The model has no phoneme head"),
    errors.UnauthorizedError: Kind(401, "An API key is needed", "unauthorized"),
    errors.UploadTooLargeError: Kind(413, "The request is too large", "upload-too-large"),
    errors.UploadStalledError: Kind(408, "The request stopped arriving", "upload-stalled"),
    errors.UnknownModelError: Kind(404, "There is no such model", "model-unknown"),
    errors.NotAcceptableError: Kind(406, "No format that is offered is accepted", "not-acceptable"),
    errors.UnknownResultError: Kind(404, "There is no such result", "result-unknown"),
    errors.ExpiredResultError: Kind(410, "The result is no longer kept", "result-expired"),
    errors.QueueFullError: Kind(503, "The service is busy", "queue-full"),
    errors.StreamsFullError: Kind(503, "Too many streams are open", "streams-full"),
    errors.ForeignOriginError: Kind(403, "This origin may not open streams", "origin-foreign"),
    domain.DecodersBusyError: Kind(503, "The decoders are busy"),
    domain.DecoderLostError: Kind(503, "The decoding was broken off"),
    errors.SendingFullError: Kind(503, "Too many answers wait to be read", "sending-full"),
    errors.UploadsFullError: Kind(503, "There is no room for the file", "uploads-full"),
    errors.UnknownHostError: Kind(421, "This host is not served here", "host-unknown"),
    errors.DeadlineError: Kind(503, "The answer took too long", "deadline"),
    errors.SearchLostError: Kind(503, "The search for the text was broken off", "search-lost"),
    errors.ClientGoneError: Kind(400, "The client left before its answer", "client-gone"),
    errors.StoreError: Kind(503, "The store of results failed", "store"),
    errors.ResultTooLargeError: Kind(507, "The result is too large to be kept", "result-too-large"),
    errors.StoreRefusedError: Kind(503, "The store refuses this service", "store-refused"),
    errors.NotReadyError: Kind(503, "The service is not ready", "not-ready"),
    ClientDisconnect: Kind(400, "The client left before its request was whole", "disconnected"),
}
"""A class stands for its subclasses too, unless they have a line of their own."""


def add_handlers(app: FastAPI, renderings: Mapping[str, Render]) -> None:
    """Make every error of `app` a problem document.

    Args:
        app: the application.
        renderings: what errors become instead, by the start of the paths that they are for.
    """

    async def respond(request: Request, error: Exception) -> JSONResponse:
        problem, headers = _problem(request, error), _headers(error)
        for prefix, render in renderings.items():
            if request.url.path.startswith(prefix):
                return render(problem, headers, getattr(error, "param", None))
        document = problem.model_dump(exclude_none=True)
        return JSONResponse(document, problem.status, headers, PROBLEM_JSON)

    for error_class in (*KINDS, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(error_class, respond)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says in OpenAPI about its errors."""
    content = {PROBLEM_JSON: {"schema": Problem.model_json_schema()}}
    return {
        status: {
            "description": "; ".join(k.title for k in KINDS.values() if k.status == status)
            or HTTPStatus(status).phrase,
            "content": content,
        }
        for status in statuses
    }


def _problem(request: Request, error: Exception) -> Problem:
    match error:
        case HTTPException():  # Starlette's: unknown routes, wrong methods, malformed multipart
            detail = error.detail
            if detail == HTTPStatus(error.status_code).phrase:
                detail = f"{detail}: {request.method} {request.url.path:.200}"
            return _untyped(error.status_code, detail)
        case RequestValidationError():
            lines = [_short(line) for line in describe(error.errors()[:_MOST_LINES])]
            return _untyped(422, "; ".join(lines), lines if len(lines) > 1 else None)
    return problem_of(error, f"{request.scope.get('method', 'GET')} {request.url.path:.200}")


def problem_of(error: Exception, what: str = "the work") -> Problem:
    """An error of this service or its library; of any other no internals leave.

    Args:
        error: that went wrong.
        what: failed, where the log alone is to say why.
    """
    kind = next((KINDS[base] for base in type(error).__mro__ if base in KINDS), None)
    if kind is None:  # Starlette raises the error again behind this, and the server logs it
        return _untyped(500, f"{what} failed; the log says why")
    return Problem(
        type=f"urn:otoscope:problem:{kind.slug or getattr(error, 'slug', 'other')}",
        title=kind.title,
        status=kind.status,
        detail=_short(str(error)) or kind.title,
    )


def _untyped(status: int, detail: str, lines: list[str] | None = None) -> Problem:
    """A problem that its status alone names."""
    title = HTTPStatus(status).phrase
    return Problem(title=title, status=status, detail=_short(detail), errors=lines)


def _short(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} ..."


def _headers(error: Exception) -> Mapping[str, str]:
    match error:
        case HTTPException():
            return error.headers or {}
        case errors.UnauthorizedError():
            wrong = ', error="invalid_token"' if error.wrong else ""  # RFC 6750, section 3
            return {"WWW-Authenticate": f'Bearer realm="otoscope"{wrong}'}
        case domain.DecodersBusyError() | domain.DecoderLostError():
            return {"Retry-After": str(errors.QueueFullError.retry_after_s)}
    retry_after_s = getattr(error, "retry_after_s", None)
    return {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
