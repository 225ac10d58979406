"""GET /transcriptions/{id}/reading: a kept recording, read by another decoder."""

import json
from functools import partial

from fastapi import APIRouter, Request, Response

from otoscope.formats import FORMATS, TRANSCRIPT_FORMATS, Timestamps, TranscriptFormat
from otoscope.schemas import Transcription
from service.dependencies import Services, ServicesDep
from service.errors import ExpiredResultError
from service.http.forms import query_schema, read_options
from service.http.negotiation import negotiate
from service.http.options import ReadingOptions
from service.http.responses import (
    WARNINGS_DESCRIPTION,
    WARNINGS_HEADER,
    warnings_headers,
    written_responses,
)
from service.http.transcribed import ID_HEADER, render, transcription
from service.routes.transcriptions import ResultId

router = APIRouter(tags=["transcription"])


@router.get(
    "/transcriptions/{id}/reading",
    response_model=Transcription,
    responses=written_responses(
        *(404, 406, 410, 422, 503),
        description="What was said, as the decoder that was asked for reads it.",
        formats=TRANSCRIPT_FORMATS,
        headers={ID_HEADER: "The transcription's id.", WARNINGS_HEADER: WARNINGS_DESCRIPTION},
    ),
    openapi_extra=query_schema(ReadingOptions),
    summary="Read a transcription that is kept once more, in another way",
)
async def reading(request: Request, services: ServicesDep, result_id: ResultId) -> Response:
    """What POST /transcribe would answer with these options, without sending the recording again.

    The posteriors are those that are kept, so the model has nothing to do. What is kept stays as
    it is. 404 if the id never existed, 410 if its result is no longer kept, or is another model's.
    """
    options = read_options(ReadingOptions, request.query_params.multi_items())
    accept = request.headers.getlist("accept")
    form = negotiate(options.response_format, accept, TRANSCRIPT_FORMATS, "response_format")
    timestamps = options.timestamps_in(form)
    return await services.pool.run(partial(_read, services, result_id, options, form, timestamps))


def _read(
    services: Services,
    result_id: str,
    options: ReadingOptions,
    form: TranscriptFormat,
    timestamps: Timestamps,
) -> Response:
    """All the work of one request, for a thread of the pool."""
    _check_model(services, result_id)
    warnings = json.loads(services.store.transcription(result_id))["warnings"]
    posteriors = services.store.get(result_id)
    decoded = services.decode_workers.decode(posteriors, options)
    document = transcription(
        result_id,
        decoded,
        posteriors.clock,
        services.model_name,
        warnings=warnings,
        timestamps=timestamps,
        segments=form == "verbose_json",
    )
    return Response(
        render(document, decoded, posteriors.clock, form, timestamps),
        media_type=FORMATS[form].media_type,
        headers={ID_HEADER: result_id, **warnings_headers(warnings)},
    )


def _check_model(services: Services, result_id: str) -> None:
    """ExpiredResultError if the result is another model's, whose alphabet may differ."""
    kept, served = services.store.find(result_id).model_sha256, services.model_name.sha256
    if kept != served:
        raise ExpiredResultError(
            f"expected a result of the model that is served ({served:.8}), got one of {kept:.8}"
        )
