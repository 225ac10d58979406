"""GET /health/live and /health/ready: for what restarts this process or sends it requests."""

from fastapi import APIRouter

from otoscope.schemas import LiveAnswer, ReadyAnswer
from service.dependencies import ServicesDep
from service.http.problems import problem_responses

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="The process answers")
async def live() -> LiveAnswer:
    """Answers at once, however much is being transcribed."""
    return LiveAnswer(status="live")


@router.get("/ready", responses=problem_responses(503), summary="The model works")
async def ready(services: ServicesDep) -> ReadyAnswer:
    """503 until a golden clip has been through the whole path and come out as it must.

    The store is asked to keep something and to give it back.

    While the store of results is away the status is degraded: that takes no text from anybody, so
    it is no reason to send requests elsewhere.
    """
    warm_up = services.readiness.require()
    works = await services.store_check.works()
    return ReadyAnswer(
        status="ready" if works else "degraded",
        store="available" if works else "unavailable",
        model=services.models.default.name,
        warm_up_ms=round(warm_up.took_ms, 1),
        golden_frames=warm_up.frames,
    )
