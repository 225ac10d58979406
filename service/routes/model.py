"""GET /model: what is served."""

from fastapi import APIRouter

from otoscope.schemas import ModelAnswer
from otoscope.schemas.convert import model_facts
from service.dependencies import ServicesDep

router = APIRouter(tags=["model"])


@router.get("/model", summary="The model that is served")
async def model(services: ServicesDep) -> ModelAnswer:
    """Its specification, provenance and what was measured about it."""
    reports = services.reports
    return ModelAnswer(
        **model_facts(services.recognizer, services.writer.punctuator),
        dev_wer=reports.dev_rate("wer"),
        dev_cer=reports.dev_rate("cer"),
        evaluation=reports.evaluation,
        parity=reports.parity,
    )
