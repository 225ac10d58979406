"""POST /transcribe: a recording in, text out."""

import logging
from collections.abc import Generator

from fastapi import APIRouter, Request, Response

from otoscope import Recognition
from otoscope.formats import FORMATS, TRANSCRIPT_FORMATS, Timestamps, TranscriptFormat
from otoscope.formats.posteriors import probs_document, select
from otoscope.formats.tables import to_json
from otoscope.schemas import Transcription
from service.dependencies import Services, ServicesDep
from service.errors import StoreError
from service.http.forms import Upload, form_schema, read_upload
from service.http.negotiation import negotiate
from service.http.options import TranscribeOptions
from service.http.responses import (
    WARNINGS_DESCRIPTION,
    WARNINGS_HEADER,
    warnings_headers,
    written_responses,
)
from service.http.transcribed import ID_HEADER, render, transcription
from service.store.base import new_id

router = APIRouter(tags=["transcription"])
logger = logging.getLogger(__name__)

_NOT_KEPT = "the posteriors could not be kept: there is no id to fetch them or this answer with"


@router.post(
    "/transcribe",
    response_model=Transcription,
    responses=written_responses(
        *(400, 406, 408, 413, 415, 422, 503),
        description="What was said, in the format that was asked for.",
        formats=TRANSCRIPT_FORMATS,
        headers={
            ID_HEADER: "The id; absent if nothing is kept.",
            WARNINGS_HEADER: WARNINGS_DESCRIPTION,
        },
    ),
    openapi_extra=form_schema(TranscribeOptions),
    summary="Transcribe a recording",
)
async def transcribe(request: Request, services: ServicesDep) -> Response:
    """Send one audio file (wav, flac, ogg, opus, mp3, m4a, mp4, aac, webm) in the field `file`.

    Options, in the form or the query, choose the decoder and what it favours, and what is answered
    in which format. Plain text, subtitles and TextGrid have no place for the id and the warnings:
    every answer has these in headers, too. GET /transcriptions/{id} gives the JSON in any case.
    """
    async with read_upload(request, TranscribeOptions) as upload:
        accept = request.headers.getlist("accept")
        form = negotiate(
            upload.options.response_format, accept, TRANSCRIPT_FORMATS, "response_format"
        )
        timestamps = upload.options.timestamps_in(form)
        return await services.pool.run_steps(_answer(services, upload, form, timestamps))


def _answer(
    services: Services,
    upload: Upload[TranscribeOptions],
    form: TranscriptFormat,
    timestamps: Timestamps,
) -> Generator[None, None, Response]:
    """All the work of one request, for the threads of the pool."""
    recognition = yield from services.transcriber.steps(upload.file)
    posteriors = recognition.posteriors
    decoded = services.decode_workers.decode(posteriors, upload.options)
    new = new_id()
    document = transcription(
        new,
        decoded,
        posteriors.clock,
        services.model_name,
        warnings=recognition.warnings,
        timestamps=timestamps,
        segments=form == "verbose_json",
    )
    kept_id = new if _keep(services, new, recognition, to_json(document)) else None
    headers = {} if kept_id is None else {ID_HEADER: kept_id}
    if kept_id is None:
        document["id"] = None
        document["warnings"].append(_NOT_KEPT)
    headers.update(warnings_headers(document["warnings"]))
    if upload.options.probs:
        document["probs"] = {"id": kept_id, **probs_document(select(posteriors))}
    body = render(document, decoded, posteriors.clock, form, timestamps)
    return Response(body, media_type=FORMATS[form].media_type, headers=headers)


def _keep(
    services: Services, result_id: str, recognition: Recognition, transcription: bytes
) -> bool:
    """Whether the result is kept; the text is worth answering if it is not."""
    try:
        services.store.put(
            result_id,
            recognition.posteriors,
            recognition.require_features(),
            services.transcriber.recognizer.sha256,
            transcription=transcription,
        )
    except StoreError as error:
        logger.warning("the posteriors are not kept: %s", error)
        return False
    return True
