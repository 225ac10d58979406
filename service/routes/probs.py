"""GET /probs: what the acoustic model believed at every frame."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.errors import problem_responses
from service.matrix import matrix, to_json
from service.schemas import ProbsAnswer, Unit
from service.services import ServicesDep
from service.store import ID_PATTERN

router = APIRouter(tags=["transcription"])


@router.get(
    "/probs",
    response_model=ProbsAnswer,
    responses=problem_responses(404, 410, 422, 503),
    summary="P(character | frame) or P(phoneme | frame) of a transcription",
)
def probs(
    services: ServicesDep,
    result_id: Annotated[
        str, Query(alias="id", pattern=ID_PATTERN, description="From POST /transcribe.")
    ],
    unit: Annotated[
        Unit,
        Query(description="What the columns are; phonemes need a model that has a phoneme head."),
    ] = "character",
) -> Response:
    """One row a frame, one column a symbol, in natural probabilities.

    404 if the id never existed, 410 if its result is no longer kept, 422 if phonemes are asked for
    and the model gives none.
    """
    # Not async: FastAPI runs it in a thread, for the store and the writing of JSON take their time.
    body = to_json(matrix(result_id, services.store.get(result_id), unit))
    return Response(body, media_type="application/json")
