"""GET /health/live and /health/ready: for whoever restarts this process or sends it requests."""

from fastapi import APIRouter

from otoscope.answers import LiveAnswer, ReadyAnswer
from service.errors import problem_responses
from service.services import ServicesDep

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="The process answers")
async def live() -> LiveAnswer:
    """Answers at once, however much is being transcribed."""
    return LiveAnswer(status="live")


@router.get("/ready", responses=problem_responses(503), summary="The model works")
async def ready(services: ServicesDep) -> ReadyAnswer:
    """503 until a golden clip has been through the whole path and come out as it must."""
    warm_up = services.readiness.require()
    return ReadyAnswer(
        status="ready",
        model=services.model_name,
        warm_up_ms=round(warm_up.took_ms, 1),
        golden_frames=warm_up.frames,
    )
