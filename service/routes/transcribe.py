"""POST /transcribe: a recording in, text out."""

import logging
import math
from collections.abc import Generator
from typing import Any

from fastapi import APIRouter, Request, Response

from otoscope import Word
from otoscope.decoding.beam import Hypothesis
from otoscope.decoding.phrases import RankedPhrase
from service.decoding import Decoded
from service.errors import StoreError, problem_responses
from service.matrix import matrix, to_json
from service.options import TranscribeOptions
from service.schemas import HypothesisAnswer, PhraseAnswer, Transcription, WordAnswer
from service.services import Services, ServicesDep
from service.store import new_id
from service.transcriber import Recognition
from service.upload import Upload, form_schema, read_upload

router = APIRouter(tags=["transcription"])
logger = logging.getLogger(__name__)

_NOT_KEPT = "the posteriors could not be kept: GET /probs and /features don't know this id"


@router.post(
    "/transcribe",
    response_model=Transcription,
    responses=problem_responses(400, 408, 413, 415, 422, 503),
    openapi_extra=form_schema(TranscribeOptions),
    summary="Transcribe a recording",
)
async def transcribe(request: Request, services: ServicesDep) -> Response:
    """Send one audio file (wav, flac, ogg, opus, mp3, m4a, mp4, aac, webm) in the field `file`.

    Options, in the form or the query, choose the decoder and what it favours, and what is answered.
    """
    async with read_upload(request, TranscribeOptions) as upload:
        body = await services.pool.run_steps(_answer(services, upload))
    return Response(body, media_type="application/json")


def _answer(services: Services, upload: Upload[TranscribeOptions]) -> Generator[None, None, bytes]:
    """All the work of one request, for the threads of the pool."""
    recognition = yield from services.steps(upload.file)
    decoded = services.decode(recognition.posteriors, upload.options)
    result_id = new_id()
    document = _document(services, result_id, recognition, decoded)
    if not _keep(services, result_id, recognition, to_json(document)):
        document["warnings"].append(_NOT_KEPT)
    if upload.options.probs:
        document["probs"] = matrix(result_id, recognition.posteriors)
    return to_json(document)


def _document(
    services: Services, result_id: str, recognition: Recognition, decoded: Decoded
) -> dict[str, Any]:
    """What GET /transcriptions/{id} will give again."""
    transcript, clock = decoded.transcript, recognition.posteriors.clock
    transcription = Transcription(
        id=result_id,
        text=transcript.text,
        duration_s=round(clock.duration_s, 3),
        frame_s=clock.frame_s,
        confidence=None if transcript.confidence is None else round(transcript.confidence, 4),
        words=[_word(word) for word in transcript.words],
        decoder=decoded.decoder,
        hypotheses=[_hypothesis(one) for one in decoded.hypotheses],
        phrases=[_phrase(one) for one in decoded.phrases],
        model=services.model_name,
        warnings=list(recognition.warnings),
    )
    return transcription.model_dump(exclude={"probs"})


def _keep(
    services: Services, result_id: str, recognition: Recognition, transcription: bytes
) -> bool:
    """Whether the result is kept; the text is worth answering if it is not."""
    try:
        services.store.put(
            result_id,
            recognition.posteriors,
            recognition.features,
            services.transcriber.recognizer.sha256,
            transcription=transcription,
        )
    except StoreError:
        logger.exception("the posteriors of %s are not kept", result_id)
        return False
    return True


def _hypothesis(one: Hypothesis) -> HypothesisAnswer:
    return HypothesisAnswer(
        text=one.transcript.text,
        score=round(one.score, 4),
        acoustic=round(one.acoustic, 4),
        lm=round(one.lm, 4),
        bonus=round(one.bonus, 4),
    )


def _phrase(one: RankedPhrase) -> PhraseAnswer:
    log_prob = round(one.log_prob, 4) if math.isfinite(one.log_prob) else None
    return PhraseAnswer(phrase=one.phrase, probability=round(one.probability, 6), log_prob=log_prob)


def _word(word: Word) -> WordAnswer:
    return WordAnswer(
        word=word.word,
        start_s=round(word.start_s, 3),
        end_s=round(word.end_s, 3),
        confidence=round(word.confidence, 4),
    )
