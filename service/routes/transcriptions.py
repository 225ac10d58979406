"""GET and DELETE /transcriptions/{id}: what POST /transcribe answered, again and no more."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from otoscope.schemas import Transcription
from service.dependencies import ServicesDep
from service.http.problems import problem_responses
from service.http.queries import NONE
from service.store.base import ID_PATTERN

router = APIRouter(prefix="/transcriptions", tags=["transcription"], dependencies=[NONE])

ResultId = Annotated[
    str, Path(alias="id", pattern=ID_PATTERN, description="From POST /transcribe.")
]


@router.get(
    "/{id}",
    response_model=Transcription,
    responses=problem_responses(404, 410, 422, 503),
    summary="A transcription that is kept",
)
async def transcription(services: ServicesDep, result_id: ResultId) -> Response:
    """The answer of POST /transcribe in JSON, without the matrix of probs=true: GET /probs has it.

    Of one that was no JSON, it is what response_format=json would have answered.

    404 if the id never existed, 410 if its result is no longer kept.
    """
    body = await services.reading_pool.run(partial(services.store.transcription, result_id))
    return Response(body, media_type="application/json")


@router.delete(
    "/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problem_responses(404, 410, 422, 503),
    summary="Delete a transcription",
)
async def delete(services: ServicesDep, result_id: ResultId) -> None:
    """Text and posteriors are gone after this; the recording itself was never kept.

    A request for them then, or to delete them again, is answered 410.
    """
    await services.reading_pool.run(partial(services.store.delete, result_id))
