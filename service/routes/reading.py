"""GET /transcriptions/{id}/reading: a kept recording, decoded again in another way."""

from fastapi import APIRouter, Request, Response

from otoscope.formats import TRANSCRIPT_FORMATS
from otoscope.schemas import Transcription
from service.dependencies import Services, ServicesDep
from service.errors import ExpiredResultError
from service.http.forms import query_fields, query_schema, read_options
from service.http.options import Layout, ReadingOptions
from service.http.responses import (
    ID_HEADER,
    WARNINGS_DESCRIBED,
    format_responses,
    laid_out,
    transcription,
    transcription_response,
)
from service.inference.request_pool import Steps
from service.routes.transcriptions import ResultId

router = APIRouter(tags=["transcription"])


@router.get(
    "/transcriptions/{id}/reading",
    response_model=Transcription,
    responses=format_responses(
        *(404, 406, 410, 422, 503),
        description="What was said, as the decoder that was asked for reads it.",
        formats=TRANSCRIPT_FORMATS,
        headers={ID_HEADER: "The transcription's id.", **WARNINGS_DESCRIBED},
    ),
    openapi_extra=query_schema(ReadingOptions),
    summary="Read a transcription that is kept once more, in another way",
)
async def reading(request: Request, services: ServicesDep, result_id: ResultId) -> Response:
    """What POST /transcribe would answer with these options, without sending the recording again.

    The posteriors are those that are kept, so the model has nothing to do. What is kept stays as
    it is. 404 if the id never existed, 410 if its result is no longer kept, or is another model's.
    """
    options = read_options(query_fields(request), ReadingOptions)
    layout = options.layout(request.headers.getlist("accept"))
    return await services.pool.run_steps(_respond(services, result_id, options, layout))


def _respond(
    services: Services, result_id: str, options: ReadingOptions, layout: Layout
) -> Steps[Response]:
    """All the work of one request, for the threads of the pool."""
    _check_model(services, result_id)
    warnings = services.store.warnings(result_id)
    posteriors = services.store.get(result_id)
    decoded = yield from services.decode_workers.decode(posteriors, options.decoding)
    written = services.writer.write(decoded, options.style)
    answer = transcription(
        result_id,
        decoded,
        written,
        posteriors.clock,
        services.model_name,
        warnings=warnings,
        layout=layout,
    )
    document = laid_out(answer, layout)
    return transcription_response(document, written, posteriors.clock, layout)


def _check_model(services: Services, result_id: str) -> None:
    """ExpiredResultError if the result is another model's, whose alphabet may differ."""
    kept, served = services.store.find(result_id).model_sha256, services.model_name.sha256
    if kept != served:
        raise ExpiredResultError(
            f"expected a result of the model that is served ({served:.8}), got one of {kept:.8}"
        )
