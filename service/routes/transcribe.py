"""POST /transcribe: a recording in, text out."""

import logging
from contextlib import AsyncExitStack
from typing import Any, BinaryIO

from fastapi import APIRouter, Request, Response

from otoscope import Recognition
from otoscope.audio import Choice, check_separable
from otoscope.errors import AudioError, AudioTooLongError
from otoscope.formats import TRANSCRIPT_FORMATS
from otoscope.formats.posteriors import probs_document, select
from otoscope.formats.tables import to_json
from otoscope.schemas import Transcription
from otoscope.schemas.convert import by_channel, by_track
from service.dependencies import Services, ServicesDep
from service.errors import ResultTooLargeError, StoreError
from service.http.events import respond_with_events
from service.http.forms import form_schema, read_form
from service.http.negotiation import prefers_events
from service.http.options import Layout, TranscribeOptions
from service.http.responses import (
    ID_HEADER,
    WARNINGS_DESCRIBED,
    format_responses,
    json_response,
    laid_out,
    transcription,
    transcription_response,
)
from service.inference.request_pool import Steps
from service.inference.transcriber import Transcribed
from service.routes.progress import failed, progress_events
from service.store.base import new_id

router = APIRouter(tags=["transcription"])
logger = logging.getLogger(__name__)

_NO_ID = "there is no id to fetch them or this answer with"
_NOT_KEPT = f"the posteriors could not be kept: {_NO_ID}"


@router.post(
    "/transcribe",
    response_model=Transcription,
    responses=format_responses(
        *(400, 406, 408, 413, 415, 422, 503),
        description="What was said, in the format that was asked for.",
        formats=TRANSCRIPT_FORMATS,
        headers={ID_HEADER: "The id; absent if nothing is kept.", **WARNINGS_DESCRIBED},
        events=True,
    ),
    openapi_extra=form_schema(TranscribeOptions),
    summary="Transcribe a recording",
)
async def transcribe(request: Request, services: ServicesDep) -> Response:
    """Send one audio file (wav, flac, ogg, opus, mp3, m4a, mp4, aac, webm) in the field `file`.

    Options, in the form or the query, choose the decoder and what it favours, and what is answered
    in which format. Plain text, subtitles and TextGrid have no place for the id and the warnings:
    every answer has these in headers, too. GET /transcriptions/{id} gives the JSON in any case.
    With channels=separate and track=all each channel or track is kept as a transcription of its
    own. With Accept: text/event-stream the answer is server-sent events: progress, finished
    segments, and the result.
    """
    async with AsyncExitStack() as kept:
        place = kept.enter_context(services.pool.place())
        form = await kept.enter_async_context(read_form(request, TranscribeOptions))
        file, options, accept = form.file, form.options, request.headers.getlist("accept")
        if prefers_events(accept):
            work = _respond(services, file, options, options.event_layout(), progressive=True)
            return await respond_with_events(
                progress_events(place.tell_steps(work)), failed, kept, {}
            )
        return await place.run_steps(_respond(services, file, options, options.layout(accept)))


def _respond(
    services: Services,
    file: BinaryIO,
    options: TranscribeOptions,
    layout: Layout,
    *,
    progressive: bool = False,
) -> Steps[Response]:
    """All the work of one request, for the threads of the pool; perhaps telling of it."""
    if options.track == "all":
        return (yield from _respond_by_track(services, file, options, layout))
    if options.channels is not None:
        return (yield from _respond_by_channel(services, file, options, layout))
    transcriber, decoding, style = services.transcriber, options.decoding, options.style
    if progressive:
        done = yield from transcriber.told_steps(file, options.choice, decoding, style)
    else:
        recognition = yield from services.recording_recognizer.steps(file, options.choice)
        done = yield from transcriber.read(recognition, decoding, style)
    document = laid_out(_answer(services, done, layout), layout)
    posteriors = done.recognition.posteriors
    if options.probs:
        document["probs"] = {"id": document["id"], **probs_document(select(posteriors))}
    return transcription_response(document, done.written, posteriors.clock, layout)


def _respond_by_channel(
    services: Services, file: BinaryIO, options: TranscribeOptions, layout: Layout
) -> Steps[Response]:
    """Each channel as a recording of its own, one after the other: each takes as much memory."""
    answers: list[Transcription] = []
    channels = 1
    while len(answers) < channels:
        choice = options.choice._replace(channel=len(answers) + 1)
        recognition = yield from services.recording_recognizer.steps(file, choice)
        channels = check_separable(recognition.channels)
        answers.append((yield from _answer_one(services, recognition, options, layout)))
    merged = by_channel(answers).model_copy(update={"id": None})
    return json_response(laid_out(merged, layout))


def _respond_by_track(
    services: Services, file: BinaryIO, options: TranscribeOptions, layout: Layout
) -> Steps[Response]:
    """Each track as a recording of its own; one that can't be read does not end the others."""
    answers: dict[int, Transcription] = {}
    left_out: dict[int, AudioError] = {}
    tracks = check_separable(services.recording_recognizer.count_tracks(file), "tracks")
    for number in range(1, tracks + 1):
        try:
            recognition = yield from services.recording_recognizer.steps(file, Choice(number))
        except AudioTooLongError:
            raise
        except AudioError as error:
            left_out[number] = error
        else:
            answers[number] = yield from _answer_one(services, recognition, options, layout)
    merged = by_track(answers, left_out).model_copy(update={"id": None})
    return json_response(laid_out(merged, layout))


def _answer_one(
    services: Services, recognition: Recognition, options: TranscribeOptions, layout: Layout
) -> Steps[Transcription]:
    """Of one of several channels or tracks."""
    done = yield from services.transcriber.read(recognition, options.decoding, options.style)
    return _answer(services, done, layout)


def _answer(services: Services, done: Transcribed, layout: Layout) -> Transcription:
    """What is answered, and kept if that can be done."""
    answer = transcription(
        new_id(),
        done.decoded,
        done.written,
        done.recognition.posteriors.clock,
        services.model_name,
        warnings=done.recognition.warnings,
        layout=layout,
    )
    try:
        _keep(services, done.recognition, laid_out(answer, layout))
    except StoreError as error:
        logger.warning("the posteriors are not kept: %s", error)
        unkept = {"id": None, "warnings": [*answer.warnings, _why_not_kept(error)]}
        answer = answer.model_copy(update=unkept)
    return answer


def _keep(services: Services, recognition: Recognition, document: dict[str, Any]) -> None:
    services.store.put(
        document["id"],
        recognition.posteriors,
        recognition.require_features(),
        services.recognizer.sha256,
        transcription=to_json(document),
    )


def _why_not_kept(error: StoreError) -> str:
    """The text is answered all the same."""
    if isinstance(error, ResultTooLargeError):
        return f"the posteriors could not be kept in {error.max_bytes} bytes: {_NO_ID}"
    return _NOT_KEPT
