"""POST /transcribe: a recording in, text out."""

import logging
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from otoscope import Word
from service.errors import StoreError, problem_responses
from service.matrix import matrix, to_json
from service.schemas import Transcription, WordAnswer
from service.services import Services, ServicesDep
from service.store import new_id
from service.transcriber import Recognition
from service.upload import FILE_FIELD, TranscribeOptions, Upload, read_upload

router = APIRouter(tags=["transcription"])
logger = logging.getLogger(__name__)

_NOT_KEPT = "the posteriors could not be kept: GET /probs does not know this id"


def _form_schema() -> dict[str, Any]:
    """The request's form for OpenAPI; `read_upload` reads it."""
    schema = TranscribeOptions.model_json_schema()
    file = {"type": "string", "format": "binary", "description": "The recording."}
    schema["properties"] = {FILE_FIELD: file, **schema["properties"]}
    schema["required"] = [FILE_FIELD]
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


@router.post(
    "/transcribe",
    response_model=Transcription,
    responses=problem_responses(400, 413, 415, 422, 503),
    openapi_extra=_form_schema(),
    summary="Transcribe a recording",
)
async def transcribe(request: Request, services: ServicesDep) -> Response:
    """Send one audio file (wav, flac, ogg, opus, mp3, m4a, mp4, aac, webm) in the field `file`.

    `probs=true`, in the form or the query, puts P(character | frame) in the answer too.
    """
    async with read_upload(request) as upload:
        body = await services.pool.run(partial(_answer, services, upload))
    return Response(body, media_type="application/json")


def _answer(services: Services, upload: Upload) -> bytes:
    """All the work of one request, in a thread of the pool."""
    recognition = services.transcriber.transcribe(upload.file.read())
    result_id = new_id()
    kept = _keep(services, result_id, recognition)
    transcript, clock = recognition.transcript, recognition.posteriors.clock
    transcription = Transcription(
        id=result_id,
        text=transcript.text,
        duration_s=round(clock.duration_s, 3),
        frame_s=clock.frame_s,
        confidence=None if transcript.confidence is None else round(transcript.confidence, 4),
        words=[_word(word) for word in transcript.words],
        model=services.model_name,
        warnings=[*recognition.warnings, *([] if kept else [_NOT_KEPT])],
    )
    document = transcription.model_dump(exclude={"probs"})
    if upload.options.probs:
        document["probs"] = matrix(result_id, recognition.posteriors)
    return to_json(document)


def _keep(services: Services, result_id: str, recognition: Recognition) -> bool:
    """Whether the posteriors are kept; the text is worth answering without them."""
    try:
        services.store.put(
            result_id, recognition.posteriors, services.transcriber.recognizer.sha256
        )
    except StoreError:
        logger.exception("the posteriors of %s are not kept", result_id)
        return False
    return True


def _word(word: Word) -> WordAnswer:
    return WordAnswer(
        word=word.word,
        start_s=round(word.start_s, 3),
        end_s=round(word.end_s, 3),
        confidence=round(word.confidence, 4),
    )
