"""Queries of the routes that give matrices."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import Span, ViewOptions
from service.http.options import MODEL_DESCRIBED
from service.store.base import ID_PATTERN

ResultId = Annotated[str, Field(pattern=ID_PATTERN, description="From POST /transcribe.")]


class ModelQuery(BaseModel):
    """Which of the models is meant."""

    model: str | None = Field(default=None, description=MODEL_DESCRIBED)


class PartQuery(Span):
    """A part of a recording, in a format."""

    format: MatrixFormat | None = Field(
        default=None, description="Wins over the Accept header; by default the latter chooses."
    )


class ViewQuery(PartQuery, ViewOptions):
    """A selection of posteriors, in a format."""


class FreshViewQuery(ViewQuery, ModelQuery):
    """A selection of a file's posteriors."""


class ProbsQuery(ViewQuery):
    """A selection of a result's posteriors."""

    id: ResultId


class FeaturesQuery(PartQuery):
    """A part of a result's features."""

    id: ResultId


ModelQueryDep = Annotated[ModelQuery, Query()]
FreshViewQueryDep = Annotated[FreshViewQuery, Query()]
ProbsQueryDep = Annotated[ProbsQuery, Query()]
FeaturesQueryDep = Annotated[FeaturesQuery, Query()]
