"""POST /transcribe: a recording in, text out."""

import logging
from contextlib import AsyncExitStack
from typing import Any, BinaryIO, NamedTuple

from fastapi import APIRouter, Request, Response

from otoscope import Recognition
from otoscope.audio import Choice, check_separable
from otoscope.errors import AudioError, AudioTooLongError
from otoscope.formats import TRANSCRIPT_FORMATS
from otoscope.formats.posteriors import probs_document, select
from otoscope.formats.tables import to_json
from otoscope.schemas import Transcription
from otoscope.schemas.convert import by_channel, by_track
from service.dependencies import ServicesDep
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
from service.served_models import ServedModel
from service.store.base import Store, new_id

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
        work = _Work(services.models.choose(options.model), services.store, file, options)
        if prefers_events(accept, TRANSCRIPT_FORMATS):
            steps = _respond(work, options.event_layout(), progressive=True)
            return await respond_with_events(
                progress_events(place.stream_steps(steps)), failed, kept, {}
            )
        return await place.run_steps(_respond(work, options.layout(accept)))


class _Work(NamedTuple):
    """What a request asks for."""

    model: ServedModel
    store: Store
    file: BinaryIO
    options: TranscribeOptions


def _respond(work: _Work, layout: Layout, *, progressive: bool = False) -> Steps[Response]:
    """All work of a request in steps, with intermediate results if it is `progressive`."""
    options = work.options
    if options.track == "all":
        return (yield from _respond_by_track(work, layout))
    if options.channels is not None:
        return (yield from _respond_by_channel(work, layout))
    if progressive:
        done = yield from work.model.transcriber.progressive_steps(
            work.file, options.choice, options.decoding, options.style
        )
    else:
        recognition = yield from work.model.recording_recognizer.steps(work.file, options.choice)
        done = yield from _read(work, recognition)
    document = laid_out(_answer(work, done, layout), layout)
    posteriors = done.recognition.posteriors
    if options.probs:
        document["probs"] = {"id": document["id"], **probs_document(select(posteriors))}
    return transcription_response(document, done.written, posteriors.clock, layout)


def _respond_by_channel(work: _Work, layout: Layout) -> Steps[Response]:
    """Each channel as a recording of its own, one after the other: each takes as much memory."""
    answers: list[Transcription] = []
    channels = 1
    while len(answers) < channels:
        number = len(answers) + 1
        choice = work.options.choice._replace(channel=number, channels=channels)
        recognition = yield from work.model.recording_recognizer.steps(work.file, choice)
        channels = check_separable(recognition.channels)
        answers.append(_answer(work, (yield from _read(work, recognition)), layout))
    merged = by_channel(answers).model_copy(update={"id": None})
    return json_response(laid_out(merged, layout))


def _respond_by_track(work: _Work, layout: Layout) -> Steps[Response]:
    """Each track as a recording of its own; one that can't be read does not end the others."""
    answers: dict[int, Transcription] = {}
    left_out: dict[int, AudioError] = {}
    recognizer = work.model.recording_recognizer
    tracks = check_separable(recognizer.count_tracks(work.file), "tracks")
    for number in range(1, tracks + 1):
        try:
            recognition = yield from recognizer.steps(work.file, Choice(number))
        except AudioTooLongError:
            raise
        except AudioError as error:
            left_out[number] = error
        else:
            answers[number] = _answer(work, (yield from _read(work, recognition)), layout)
    merged = by_track(answers, left_out).model_copy(update={"id": None})
    return json_response(laid_out(merged, layout))


def _read(work: _Work, recognition: Recognition) -> Steps[Transcribed]:
    """Decode and write a recognized recording."""
    return work.model.transcriber.read(recognition, work.options.decoding, work.options.style)


def _answer(work: _Work, done: Transcribed, layout: Layout) -> Transcription:
    """What is answered, and kept if that can be done."""
    answer = transcription(
        new_id(),
        done.decoded,
        done.written,
        done.recognition.posteriors.clock,
        work.model.name,
        warnings=done.recognition.warnings,
        layout=layout,
    )
    try:
        _keep(work, done.recognition, laid_out(answer, layout))
    except StoreError as error:
        logger.warning("the posteriors are not kept: %s", error)
        unkept = {"id": None, "warnings": [*answer.warnings, _why_not_kept(error)]}
        answer = answer.model_copy(update=unkept)
    return answer


def _keep(work: _Work, recognition: Recognition, document: dict[str, Any]) -> None:
    work.store.put(
        document["id"],
        recognition.posteriors,
        recognition.require_features(),
        work.model.recognizer.sha256,
        transcription=to_json(document),
    )


def _why_not_kept(error: StoreError) -> str:
    """A warning: the text is returned all the same."""
    if isinstance(error, ResultTooLargeError):
        return f"the posteriors could not be kept in {error.max_bytes} bytes: {_NO_ID}"
    return _NOT_KEPT
