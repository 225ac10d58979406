"""GET /model: what is served."""

from fastapi import APIRouter

from otoscope.schemas import ModelAnswer
from otoscope.schemas.convert import model_facts
from service.dependencies import ServicesDep
from service.http.problems import problem_responses
from service.http.queries import SINGLE, ModelQueryDep

router = APIRouter(tags=["model"], dependencies=[SINGLE])


@router.get("/model", responses=problem_responses(422), summary="The models that are served")
async def model(services: ServicesDep, query: ModelQueryDep) -> ModelAnswer:
    """One's specification, provenance and what was measured about it; the names of all."""
    served = services.models.choose(query.model)
    reports = served.reports
    facts = model_facts(served.recognizer, served.writer.punctuator)
    return ModelAnswer(
        **{**facts, "name": served.name.name},
        served=[each.name for each in services.models],
        dev_wer=reports.dev_rate("wer"),
        dev_cer=reports.dev_rate("cer"),
        evaluation=reports.evaluation,
        parity=reports.parity,
    )
