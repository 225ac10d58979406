"""POST /align: a recording and its text in, the frames of each character out."""

from functools import partial
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from otoscope import AlignedText, align
from otoscope.writers import srt, textgrid, vtt
from service.aligned import AlignmentAnswer, alignment_answer
from service.errors import problem_responses
from service.matrix import to_json
from service.services import Services, ServicesDep
from service.transcriber import Recognition
from service.upload import FormOptions, Upload, form_schema, read_upload

router = APIRouter(tags=["transcription"])

Format = Literal["json", "textgrid", "srt", "vtt"]

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "textgrid": "text/plain",  # Praat has registered no type
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
}


class AlignOptions(FormOptions):
    """What was said, and how to answer."""

    text: str = Field(
        description="What is said in the recording. Numbers and signs must be spelled out.",
        examples=["hello world"],
    )
    response_format: Format = Field(
        default="json",
        description="json, Praat's TextGrid, or subtitles; only json has scores and warnings.",
    )


def _written_responses() -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of the answers that are not JSON."""
    content = {
        media_type: {"schema": {"type": "string"}}
        for chosen, media_type in MEDIA_TYPES.items()
        if chosen != "json"
    }
    return {200: {"description": "As `response_format` asks.", "content": content}}


@router.post(
    "/align",
    response_model=AlignmentAnswer,
    responses={**_written_responses(), **problem_responses(400, 408, 413, 415, 422, 503)},
    openapi_extra=form_schema(AlignOptions),
    summary="Find each character of a known text in a recording",
)
async def align_text(request: Request, services: ServicesDep) -> Response:
    """Send one audio file in the field `file` and what is said in it in the field `text`.

    Answers which frames show each character, and how well each word agrees with the sound. Nothing
    is kept.
    """
    async with read_upload(request, AlignOptions) as upload:
        return await services.pool.run(partial(_answer, services, upload))


def _answer(services: Services, upload: Upload[AlignOptions]) -> Response:
    """All the work of one request, in a thread of the pool."""
    chosen = upload.options.response_format
    recognition = services.transcribe(upload.file)
    aligned = align(recognition.posteriors, upload.options.text)
    if chosen == "json":
        body = _json(services, recognition, aligned)
    else:
        body = _written(chosen, aligned, recognition.posteriors.clock.duration_s).encode()
    return Response(body, media_type=MEDIA_TYPES[chosen])


def _json(services: Services, recognition: Recognition, aligned: AlignedText) -> bytes:
    posteriors = recognition.posteriors
    answer = alignment_answer(
        aligned,
        posteriors.clock,
        posteriors.log_probs.shape[0],
        services.model_name,
        recognition.warnings,
    )
    return to_json(answer.model_dump())


def _written(
    chosen: Literal["textgrid", "srt", "vtt"], aligned: AlignedText, duration_s: float
) -> str:
    if chosen == "textgrid":
        return textgrid(aligned.words, aligned.characters, duration_s)
    return {"srt": srt, "vtt": vtt}[chosen](aligned.words, duration_s)
