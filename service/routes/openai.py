"""POST /v1/audio/transcriptions and GET /v1/models: for clients that speak OpenAI's API.

https://platform.openai.com/docs/api-reference/audio/createTranscription. What is transcribed here
is not kept: these answers have no id to fetch it with.
"""

from contextlib import AsyncExitStack
from typing import BinaryIO

from fastapi import APIRouter, Request, Response

from otoscope.audio import THE_USUAL
from otoscope.decoding.options import DecodingOptions
from otoscope.formats import FORMATS, write
from otoscope.formats.tables import to_json
from otoscope.transcript import Style
from service.dependencies import ServicesDep
from service.http.events import respond_with_events
from service.http.forms import form_schema, read_form
from service.http.responses import WARNINGS_DESCRIBED, format_responses, warnings_headers
from service.inference.request_pool import Steps
from service.openai_api.errors import PREFIX, error_responses
from service.openai_api.events import failed, transcript_events
from service.openai_api.form import (
    REPEATED,
    TranscriptionForm,
    check,
    meant,
    prompt_hotwords,
    rewrite,
    without_effect,
)
from service.openai_api.responses import (
    JsonAnswer,
    ModelCard,
    ModelList,
    VerboseAnswer,
    json_answer,
    model_card,
    verbose_answer,
)
from service.served_models import ServedModel

router = APIRouter(prefix=PREFIX.rstrip("/"), tags=["openai"])


@router.post(
    "/audio/transcriptions",
    response_model=JsonAnswer | VerboseAnswer,
    responses={
        **format_responses(
            description="What was said.",
            formats=("text",),
            headers=WARNINGS_DESCRIBED,
            events=True,
        ),
        **error_responses(400, 404, 408, 413, 503),
    },
    openapi_extra=form_schema(TranscriptionForm, repeated=REPEATED),
    summary="Transcribe a recording, as OpenAI's API does",
)
async def create_transcription(request: Request, services: ServicesDep) -> Response:
    """For OpenAI's clients: give them this service's address and /v1 as their base URL.

    What has no effect here is said in the header `Otoscope-Warnings`; what would make the answer
    another than was asked for (another language) is refused with 400.
    """
    async with AsyncExitStack() as kept:
        place = kept.enter_context(services.pool.place())
        form = await kept.enter_async_context(
            read_form(request, TranscriptionForm, repeated=REPEATED, rewrite=rewrite)
        )
        file, options = form.file, form.options
        served = meant(options.model, options.language, services.models)
        check(options, served.recognizer.spec)
        if not options.stream:
            return await place.run_steps(_respond(served, file, options))
        work = served.transcriber.progressive_steps(file, THE_USUAL, *_reading(served, options))
        events = transcript_events(place.stream_steps(work), logprobs="logprobs" in options.include)
        headers = warnings_headers(without_effect(options, served.recognizer.spec.alphabet))
        return await respond_with_events(events, failed, kept, headers)


def _reading(
    served: ServedModel, options: TranscriptionForm
) -> tuple[DecodingOptions, Style | None]:
    alphabet = served.recognizer.spec.alphabet
    return DecodingOptions(hotwords=prompt_hotwords(options.prompt, alphabet)), options.style


def _respond(served: ServedModel, file: BinaryIO, options: TranscriptionForm) -> Steps[Response]:
    """All the work of one request, for the threads of the pool."""
    recognition = yield from served.recording_recognizer.steps(file)
    done = yield from served.transcriber.read(recognition, *_reading(served, options))
    written, posteriors = done.written, done.recognition.posteriors
    duration_s = posteriors.clock.duration_s
    match options.response_format:
        case "text":
            body = f"{written.text}\n".encode()  # a line even where nothing was said
        case "json":
            logprobs = "logprobs" in options.include
            body = _json(json_answer(written, duration_s, logprobs=logprobs))
        case "verbose_json":
            spec = served.recognizer.spec
            granularities = options.timestamp_granularities
            body = _json(verbose_answer(written, posteriors, spec, granularities))
        case subtitles:
            body = write(subtitles, written.words, None, duration_s)
    told = without_effect(options, served.recognizer.spec.alphabet)
    warnings = (*done.recognition.warnings, *written.warnings, *told)
    return Response(
        body,
        media_type="application/json" if FORMATS[options.response_format].is_json else "text/plain",
        headers=warnings_headers(warnings),
    )


def _json(document: JsonAnswer | VerboseAnswer) -> bytes:
    return to_json(document.model_dump(exclude_none=True))


@router.get("/models", summary="The models that are served")
async def models(services: ServicesDep) -> ModelList:
    """A list, as OpenAI's clients expect it."""
    return ModelList(
        data=[model_card(one.recognizer.spec, one.name.name) for one in services.models]
    )


@router.get(
    "/models/{model_id:path}", responses=error_responses(404), summary="A model that is served"
)
async def model(services: ServicesDep, model_id: str) -> ModelCard:
    """404 unless it is one that is served, by its own name or one of OpenAI's."""
    return model_card(meant(model_id, None, services.models).recognizer.spec, model_id)
