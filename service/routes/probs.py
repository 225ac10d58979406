"""GET and POST /probs: what the acoustic model believed at every frame."""

from functools import partial
from typing import BinaryIO

from fastapi import APIRouter, Request, Response

from otoscope import Posteriors
from otoscope.formats import FORMATS, MATRIX_FORMATS, MatrixFormat
from otoscope.formats.posteriors import View, select, write
from otoscope.schemas import FreshProbs, ProbsAnswer
from service.dependencies import Services, ServicesDep
from service.errors import QueryError
from service.http.caching import IfNoneMatch, conditional_response, result_etag, result_headers
from service.http.forms import NoOptions, form_schema, read_form
from service.http.negotiation import negotiate
from service.http.plots import check_view
from service.http.queries import (
    SINGLE,
    FreshViewQuery,
    FreshViewQueryDep,
    ProbsQuery,
    ProbsQueryDep,
    ViewQuery,
)
from service.http.responses import (
    WARNINGS_DESCRIBED,
    frame_headers,
    matrix_responses,
    warnings_headers,
)
from service.inference.request_pool import Steps

router = APIRouter(tags=["transcription"], dependencies=[SINGLE])


@router.get(
    "/probs",
    response_model=ProbsAnswer,
    responses=matrix_responses(404, 406, 410, 422, 503),
    summary="P(character | frame) or P(phoneme | frame) of a transcription",
)
async def probs(
    request: Request, services: ServicesDep, query: ProbsQueryDep, if_none_match: IfNoneMatch = None
) -> Response:
    """One row a frame, one column a symbol, in natural probabilities.

    As JSON; as CSV, with a header row, `time_s` first and `space` and `blank` by these names; as
    `numpy.load` reads it (float32, not rounded); or as a PNG picture, of a minute at most: X,
    posteriors, greedy path and words. 404 if the id never existed, 410 if its result is no longer
    kept, 422 if phonemes are asked for and the model gives none.
    """
    chosen = _format(request, query)
    work = partial(_of_result, services, query, chosen, if_none_match)
    # Pictures take their turn with the recordings.
    pool = services.pool if chosen == "png" else services.reading_pool
    return await pool.run(work)


@router.post(
    "/probs",
    response_model=FreshProbs,
    responses=matrix_responses(
        *(400, 406, 408, 413, 415, 422, 503), headers=WARNINGS_DESCRIBED, cached=False
    ),
    openapi_extra=form_schema(NoOptions),
    summary="P(character | frame) or P(phoneme | frame) of a file; nothing is kept",
)
async def probs_of_file(
    request: Request, services: ServicesDep, query: FreshViewQueryDep
) -> Response:
    """What GET /probs gives, for one audio file in the field `file` of a form.

    Options go in the query. Nothing is kept, so the answer has no id.
    """
    chosen = _format(request, query)
    with services.pool.place() as place:
        async with read_form(request, NoOptions) as form:
            return await place.run_steps(_of_file(services, query, chosen, form.file))


def _format(request: Request, query: ViewQuery) -> MatrixFormat:
    """The format of the response; QueryError if it can't hold what is asked for."""
    chosen = negotiate(query.format, request.headers.getlist("accept"), MATRIX_FORMATS, "format")
    if query.top_k is not None and chosen not in ("json", "csv"):
        raise QueryError(f"top_k: expected the format json or csv, got {chosen}")
    return chosen


def _of_result(
    services: Services, query: ProbsQuery, chosen: MatrixFormat, if_none_match: str | None
) -> Response:
    """The response about what the store holds, in a thread."""
    stored = services.store.find(query.id)
    view = _select(services.store.get(query.id), query, chosen)
    features = partial(services.store.features, query.id)
    return conditional_response(
        result_etag("/probs", query, stored.model_sha256, chosen),
        if_none_match,
        partial(write, view, chosen, {"id": query.id}, features),
        FORMATS[chosen].media_type,
        {**_headers(view), **result_headers(stored.expires_in_s)},
    )


def _of_file(
    services: Services, query: FreshViewQuery, chosen: MatrixFormat, file: BinaryIO
) -> Steps[Response]:
    """The response about a file, for the threads of the pool."""
    recognition = yield from services.models.choose(query.model).recording_recognizer.steps(file)
    warnings = list(recognition.warnings)
    view = _select(recognition.posteriors, query, chosen)
    headers = {**_headers(view), "Cache-Control": "no-store", **warnings_headers(warnings)}
    body = write(view, chosen, {"warnings": warnings}, recognition.require_features)
    return Response(body, media_type=FORMATS[chosen].media_type, headers=headers)


def _select(posteriors: Posteriors, query: ViewQuery, chosen: MatrixFormat) -> View:
    view = select(posteriors, query)
    if chosen == "png":
        check_view(view)
    return view


def _headers(view: View) -> dict[str, str]:
    return frame_headers(view.posteriors.clock.frame_s, view.times_s[0])
