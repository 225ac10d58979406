"""GET and POST /probs: what the acoustic model believed at every frame."""

from collections.abc import Generator
from functools import partial
from typing import BinaryIO

from fastapi import APIRouter, Request, Response

from otoscope import Posteriors
from otoscope.formats import FORMATS, MATRIX_FORMATS, MatrixFormat
from otoscope.formats.posteriors import View, select, write
from otoscope.schemas import FreshProbs, ProbsAnswer
from service.dependencies import Services, ServicesDep
from service.errors import QueryError
from service.http.forms import FILE_FORM, read_file
from service.http.negotiation import negotiate
from service.http.plots import check_view
from service.http.queries import ProbsQuery, ProbsQueryDep, ViewQuery, ViewQueryDep
from service.http.responses import (
    WARNINGS_DESCRIPTION,
    WARNINGS_HEADER,
    IfNoneMatch,
    cached_response,
    compute,
    format_responses,
    frame_headers,
    key_of,
    warnings_headers,
)

router = APIRouter(tags=["transcription"])


@router.get(
    "/probs",
    response_model=ProbsAnswer,
    responses=format_responses(404, 406, 410, 422, 503),
    summary="P(character | frame) or P(phoneme | frame) of a transcription",
)
async def probs(
    request: Request,
    services: ServicesDep,
    query: ProbsQueryDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One row a frame, one column a symbol, in natural probabilities.

    As JSON; as CSV, with a header row, `time_s` first and `space` and `blank` by these names; as
    `numpy.load` reads it (float32, not rounded); or as a PNG picture, of a minute at most: X,
    posteriors, greedy path and words. 404 if the id never existed, 410 if its result is no longer
    kept, 422 if phonemes are asked for and the model gives none.
    """
    form = _form(request, query)
    work = partial(_of_result, services, query, form, if_none_match)
    return await compute(services.pool, form, work)


@router.post(
    "/probs",
    response_model=FreshProbs,
    responses=format_responses(
        *(400, 406, 408, 413, 415, 422, 503),
        headers={WARNINGS_HEADER: WARNINGS_DESCRIPTION},
        cached=False,
    ),
    openapi_extra=FILE_FORM,
    summary="P(character | frame) or P(phoneme | frame) of a file; nothing is kept",
)
async def probs_of_file(request: Request, services: ServicesDep, query: ViewQueryDep) -> Response:
    """What GET /probs gives, for one audio file in the field `file` of a form.

    Options go in the query. Nothing is kept, so the answer has no id.
    """
    form = _form(request, query)
    async with read_file(request) as file:
        return await services.pool.run_steps(_of_file(services, query, form, file))


def _form(request: Request, query: ViewQuery) -> MatrixFormat:
    """The format of the answer; QueryError if it can't hold what is asked for."""
    form = negotiate(query.format, request.headers.getlist("accept"), MATRIX_FORMATS, "format")
    if query.top_k is not None and form not in ("json", "csv"):
        raise QueryError(f"top_k: expected the format json or csv, got {form}")
    return form


def _of_result(
    services: Services, query: ProbsQuery, form: MatrixFormat, if_none_match: str | None
) -> Response:
    """The answer about what the store holds, in a thread."""
    kept = services.store.find(query.id)
    view = _select(services.store.get(query.id), query, form)

    return cached_response(
        kept,
        key_of("/probs", query.id, query),
        form,
        if_none_match=if_none_match,
        headers=_headers(view),
        write=lambda: write(
            view, form, {"id": query.id}, partial(services.store.features, query.id)
        ),
    )


def _of_file(
    services: Services, query: ViewQuery, form: MatrixFormat, file: BinaryIO
) -> Generator[None, None, Response]:
    """The answer about a file, for the threads of the pool."""
    recognition = yield from services.transcriber.steps(file)
    view = _select(recognition.posteriors, query, form)
    warnings = list(recognition.warnings)
    headers = {**_headers(view), "Cache-Control": "no-store", **warnings_headers(warnings)}
    body = write(view, form, {"warnings": warnings}, recognition.require_features)
    return Response(body, media_type=FORMATS[form].media_type, headers=headers)


def _select(posteriors: Posteriors, query: ViewQuery, form: MatrixFormat) -> View:
    view = select(posteriors, query)
    if form == "png":
        check_view(view)
    return view


def _headers(view: View) -> dict[str, str]:
    return frame_headers(view.posteriors.clock.frame_s, view.times_s[0])
