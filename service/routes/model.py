"""GET /model: what is served."""

from fastapi import APIRouter

from otoscope.schemas import ModelAnswer
from service.dependencies import ServicesDep

router = APIRouter(tags=["model"])


@router.get("/model", summary="The model that is served")
async def model(services: ServicesDep) -> ModelAnswer:
    """Its specification, provenance and what was measured about it."""
    recognizer = services.recognizer
    spec, reports = recognizer.spec, services.reports
    return ModelAnswer(
        name=spec.name,
        sha256=recognizer.sha256,
        exact_sha256=recognizer.exact_sha256,
        parameters=spec.provenance.parameters,
        training_hours=spec.provenance.audio_hours,
        frame_s=spec.frame_s,
        dev_wer=reports.dev_rate("wer"),
        dev_cer=reports.dev_rate("cer"),
        spec=spec,
        evaluation=reports.evaluation,
        parity=reports.parity,
    )
