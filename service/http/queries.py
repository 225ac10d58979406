"""Queries of the routes that give matrices."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import Span, ViewOptions
from service.store.base import ID_PATTERN

ResultId = Annotated[str, Field(pattern=ID_PATTERN, description="From POST /transcribe.")]


class PartQuery(Span):
    """A part of a recording, in a format."""

    format: MatrixFormat | None = Field(
        default=None, description="Wins over the Accept header; by default the latter chooses."
    )


class ViewQuery(PartQuery, ViewOptions):
    """What POST /probs is asked for."""


class ProbsQuery(ViewQuery):
    """What GET /probs is asked for."""

    id: ResultId


class FeaturesQuery(PartQuery):
    """What GET /features is asked for."""

    id: ResultId


ViewQueryDep = Annotated[ViewQuery, Query()]
ProbsQueryDep = Annotated[ProbsQuery, Query()]
FeaturesQueryDep = Annotated[FeaturesQuery, Query()]
