"""GET /probs: what the acoustic model believed at every frame."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.errors import problem_responses
from service.matrix import matrix, to_json
from service.schemas import ProbsAnswer
from service.services import ServicesDep
from service.store import ID_PATTERN

router = APIRouter(tags=["transcription"])


@router.get(
    "/probs",
    response_model=ProbsAnswer,
    responses=problem_responses(404, 410, 422, 503),
    summary="P(character | frame) of a transcription",
)
def probs(
    services: ServicesDep,
    result_id: Annotated[
        str, Query(alias="id", pattern=ID_PATTERN, description="From POST /transcribe.")
    ],
) -> Response:
    """One row a frame, one column a symbol, in natural probabilities.

    404 if the id never existed, 410 if its result is no longer kept.
    """
    # Not async: FastAPI runs it in a thread, for the store and the writing of JSON take their time.
    body = to_json(matrix(result_id, services.store.get(result_id)))
    return Response(body, media_type="application/json")
