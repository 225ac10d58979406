"""GET /health/live and /health/ready: for what restarts this process or sends it requests."""

import logging

from fastapi import APIRouter

from otoscope.schemas import LiveAnswer, ReadyAnswer
from service.dependencies import ServicesDep
from service.errors import StoreError
from service.http.problems import problem_responses
from service.store.base import Store

router = APIRouter(prefix="/health", tags=["health"])
logger = logging.getLogger(__name__)


@router.get("/live", summary="The process answers")
async def live() -> LiveAnswer:
    """Answers at once, however much is being transcribed."""
    return LiveAnswer(status="live")


@router.get("/ready", responses=problem_responses(503), summary="The model works")
def ready(services: ServicesDep) -> ReadyAnswer:
    """503 until a golden clip has been through the whole path and come out as it must.

    While the store of results is away the status is degraded: that takes no text from anybody, so
    it is no reason to send requests elsewhere.
    """
    # Not async, so that FastAPI runs it in a thread: the store takes time.
    warm_up = services.readiness.require()
    works = _works(services.store)
    return ReadyAnswer(
        status="ready" if works else "degraded",
        store="available" if works else "unavailable",
        model=services.model_name,
        warm_up_ms=round(warm_up.took_ms, 1),
        golden_frames=warm_up.frames,
    )


def _works(store: Store) -> bool:
    try:
        store.check()
    except StoreError as error:
        logger.warning("results are not kept for now: %s", error)
        return False
    return True
