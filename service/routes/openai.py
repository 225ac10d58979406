"""POST /v1/audio/transcriptions and GET /v1/models: for clients that speak OpenAI's API.

https://platform.openai.com/docs/api-reference/audio/createTranscription. What is transcribed here
is not kept: these answers have no id to fetch it with.
"""

from collections.abc import Generator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from otoscope import Posteriors, Transcript
from otoscope.formats import write
from otoscope.formats.tables import to_json
from service.dependencies import Services, ServicesDep
from service.errors import UnknownModelError
from service.http.forms import FILE_FIELD
from service.http.options import TranscribeOptions
from service.http.responses import warnings_headers
from service.openai_api.answers import (
    JsonAnswer,
    ModelCard,
    ModelList,
    VerboseAnswer,
    json_answer,
    model_card,
    verbose_answer,
)
from service.openai_api.errors import PREFIX, responses
from service.openai_api.form import Order, TranscriptionForm, read_order

router = APIRouter(prefix=PREFIX.rstrip("/"), tags=["openai"])


def _form_schema() -> dict[str, Any]:
    """The request's form for OpenAPI; `read_order` reads it."""
    schema = TranscriptionForm.model_json_schema()
    fields = {
        f"{name}[]" if field.get("type") == "array" else name: field
        for name, field in schema["properties"].items()
    }
    file = {"type": "string", "format": "binary", "description": "The recording."}
    schema["properties"] = {FILE_FIELD: file, **fields}
    schema["required"] = [FILE_FIELD, *schema["required"]]
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


@router.post(
    "/audio/transcriptions",
    response_model=JsonAnswer | VerboseAnswer,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses(400, 404, 408, 413, 503),
    },
    openapi_extra=_form_schema(),
    summary="Transcribe a recording, as OpenAI's API does",
)
async def create_transcription(request: Request, services: ServicesDep) -> Response:
    """For OpenAI's clients: give them this service's address and /v1 as their base URL.

    What they may ask for and this model can't do is refused with 400, never ignored.
    """
    async with read_order(request, services.transcriber.recognizer.spec) as order:
        return await services.pool.run_steps(_answer(services, order))


def _answer(services: Services, order: Order) -> Generator[None, None, Response]:
    """All the work of one request, for the threads of the pool."""
    recognition = yield from services.transcriber.steps(order.file)
    transcript = services.decode_workers.decode(
        recognition.posteriors, TranscribeOptions()
    ).transcript
    response = _write(transcript, recognition.posteriors, services, order.form)
    response.headers.update(warnings_headers(recognition.warnings))
    return response


def _write(
    transcript: Transcript, posteriors: Posteriors, services: Services, form: TranscriptionForm
) -> Response:
    chosen, duration_s = form.response_format, posteriors.clock.duration_s
    if chosen == "text":
        return PlainTextResponse(f"{transcript.text}\n")
    if chosen in ("srt", "vtt"):
        return PlainTextResponse(write(chosen, transcript.words, None, duration_s))
    document: JsonAnswer | VerboseAnswer
    if chosen == "json":
        document = json_answer(transcript, duration_s, logprobs="logprobs" in form.include)
    else:
        spec = services.transcriber.recognizer.spec
        document = verbose_answer(transcript, posteriors, spec, form.timestamp_granularities)
    return Response(to_json(document.model_dump(exclude_none=True)), media_type="application/json")


@router.get("/models", summary="The models that are served: one")
async def models(services: ServicesDep) -> ModelList:
    """A list, as OpenAI's clients expect it."""
    return ModelList(data=[model_card(services.transcriber.recognizer.spec)])


@router.get("/models/{model_id}", responses=responses(404), summary="A model that is served")
async def model(services: ServicesDep, model_id: str) -> ModelCard:
    """404 unless it is the one that is served."""
    spec = services.transcriber.recognizer.spec
    if model_id != spec.name:
        raise UnknownModelError(f"expected {spec.name!r}, got {model_id!r}")
    return model_card(spec)
