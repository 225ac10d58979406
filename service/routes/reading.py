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
from service.served_models import ServedModel

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
    served = _model_of(services, result_id)
    warnings = services.store.warnings(result_id)
    posteriors = services.store.get(result_id)
    decoded = yield from served.decode_workers.decode(posteriors, options.decoding)
    written = served.writer.write(decoded, options.style)
    answer = transcription(
        result_id,
        decoded,
        written,
        posteriors.clock,
        served.name,
        warnings=warnings,
        layout=layout,
    )
    document = laid_out(answer, layout)
    return transcription_response(document, written, posteriors.clock, layout)


def _model_of(services: Services, result_id: str) -> ServedModel:
    """The model whose result it is; ExpiredResultError if that is no longer served."""
    sha256 = services.store.find(result_id).model_sha256
    if (model := services.models.of_weights(sha256)) is None:
        served = " or ".join(f"{each.name.sha256:.8}" for each in services.models)
        raise ExpiredResultError(
            f"expected a result of a model that is served ({served}), got one of {sha256:.8}"
        )
    return model
