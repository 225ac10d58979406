"""POST /align: a recording and its text in, the frames of each character out."""

from typing import BinaryIO

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from otoscope.formats import ALIGNMENT_FORMATS, FORMATS, AlignmentFormat, write
from otoscope.formats.posteriors import select
from otoscope.formats.tables import to_json
from otoscope.plots import posteriorgram_png
from otoscope.schemas import AlignmentAnswer
from otoscope.schemas.convert import alignment_answer
from otoscope.spoken import spoken
from service.dependencies import Services, ServicesDep
from service.http.forms import form_schema, read_form
from service.http.negotiation import negotiate
from service.http.options import OneSoundOptions
from service.http.plots import check_view
from service.http.responses import WARNINGS_DESCRIBED, format_responses, warnings_headers
from service.inference.request_pool import Steps

router = APIRouter(tags=["transcription"])

_TOO_MUCH = "choose another response_format"


class AlignOptions(OneSoundOptions):
    """What was said, and how to answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(
        description="What is said in the recording. Digits and signs are read as English words; "
        "what has no sound is left out, and listed in the warnings.",
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
    responses=format_responses(
        *(400, 406, 408, 413, 415, 422, 503),
        description="Where the text is, in the format that was asked for.",
        formats=ALIGNMENT_FORMATS,
        headers=WARNINGS_DESCRIBED,
    ),
    openapi_extra=form_schema(AlignOptions),
    summary="Find each character of a known text in a recording",
)
async def align_text(request: Request, services: ServicesDep) -> Response:
    """Send one audio file in the field `file` and what is said in it in the field `text`.

    Answers which frames show each character, and how well each word agrees with the sound. Nothing
    is kept.
    """
    with services.pool.place() as place:
        async with read_form(request, AlignOptions) as form:
            file, options = form.file, form.options
            accept = request.headers.getlist("accept")
            wanted = options.response_format
            chosen = negotiate(wanted, accept, ALIGNMENT_FORMATS, "response_format")
            return await place.run_steps(_respond(services, file, options, chosen))


def _respond(
    services: Services, file: BinaryIO, options: AlignOptions, chosen: AlignmentFormat
) -> Steps[Response]:
    """All the work of one request, for the threads of the pool."""
    served = services.models.choose(options.model)
    recognition = yield from served.recording_recognizer.steps(file, options.choice)
    posteriors, clock = recognition.posteriors, recognition.posteriors.clock
    if chosen == "png":
        check_view(select(posteriors), _TOO_MUCH)
    said = spoken(options.text, posteriors.alphabet)
    warnings = [*recognition.warnings, *said.warnings]
    aligned = yield from served.decode_workers.align(posteriors, said.text or options.text)
    match chosen:
        case "json":
            frames = posteriors.log_probs.shape[0]
            answer = alignment_answer(aligned, clock, frames, served.name, warnings)
            body = to_json(answer.model_dump())
        case "png":
            features = recognition.require_features()
            body = posteriorgram_png(features, posteriors, words=aligned.words)
        case other:
            body = write(other, aligned.words, aligned.characters, clock.duration_s)
    return Response(
        body,
        media_type=FORMATS[chosen].media_type,
        headers=warnings_headers(warnings),
    )
