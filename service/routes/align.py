"""POST /align: a recording and its text in, the frames of each character out."""

from collections.abc import Generator

from fastapi import APIRouter, Request, Response
from pydantic import Field

from otoscope import AlignedText, Recognition, align
from otoscope.formats import ALIGNMENT_FORMATS, FORMATS, AlignmentFormat, write
from otoscope.formats.posteriors import select
from otoscope.formats.tables import to_json
from otoscope.plots import posteriorgram_png
from otoscope.schemas import AlignmentAnswer, alignment_answer
from service.dependencies import Services, ServicesDep
from service.http.forms import FormOptions, Upload, form_schema, read_upload
from service.http.negotiation import negotiate
from service.http.plots import check_view
from service.http.responses import (
    WARNINGS_DESCRIPTION,
    WARNINGS_HEADER,
    warnings_headers,
    written_responses,
)

router = APIRouter(tags=["transcription"])

_TOO_MUCH = "choose another response_format"


class AlignOptions(FormOptions):
    """What was said, and how to answer."""

    text: str = Field(
        description="What is said in the recording. Numbers and signs must be spelled out.",
        examples=["hello world"],
    )
    response_format: AlignmentFormat | None = Field(
        default=None,
        description="json; Praat's TextGrid; subtitles; or a picture, of a minute at most: X, "
        "posteriors, greedy path and the words of the text. Only json has scores. Wins over the "
        "Accept header; by default the latter chooses, and json if it has no wish.",
    )


@router.post(
    "/align",
    response_model=AlignmentAnswer,
    responses=written_responses(
        *(400, 406, 408, 413, 415, 422, 503),
        description="Where the text is, in the format that was asked for.",
        formats=ALIGNMENT_FORMATS,
        headers={WARNINGS_HEADER: WARNINGS_DESCRIPTION},
    ),
    openapi_extra=form_schema(AlignOptions),
    summary="Find each character of a known text in a recording",
)
async def align_text(request: Request, services: ServicesDep) -> Response:
    """Send one audio file in the field `file` and what is said in it in the field `text`.

    Answers which frames show each character, and how well each word agrees with the sound. Nothing
    is kept.
    """
    async with read_upload(request, AlignOptions) as upload:
        accept = request.headers.getlist("accept")
        form = negotiate(
            upload.options.response_format, accept, ALIGNMENT_FORMATS, "response_format"
        )
        return await services.pool.run_steps(_answer(services, upload, form))


def _answer(
    services: Services, upload: Upload[AlignOptions], form: AlignmentFormat
) -> Generator[None, None, Response]:
    """All the work of one request, for the threads of the pool."""
    recognition = yield from services.transcriber.steps(upload.file)
    if form == "png":
        check_view(select(recognition.posteriors), _TOO_MUCH)
    aligned = align(recognition.posteriors, upload.options.text)
    return Response(
        _body(services, recognition, aligned, form),
        media_type=FORMATS[form].media_type,
        headers=warnings_headers(recognition.warnings),
    )


def _body(
    services: Services, recognition: Recognition, aligned: AlignedText, form: AlignmentFormat
) -> bytes:
    posteriors = recognition.posteriors
    if form == "json":
        return _json(services, recognition, aligned)
    if form == "png":
        return posteriorgram_png(recognition.require_features(), posteriors, words=aligned.words)
    return write(form, aligned.words, aligned.characters, posteriors.clock.duration_s)


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
