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
    """A selection of posteriors, in a format."""


class ProbsQuery(ViewQuery):
    """A selection of a result's posteriors."""

    id: ResultId


class FeaturesQuery(PartQuery):
    """A part of a result's features."""

    id: ResultId


ViewQueryDep = Annotated[ViewQuery, Query()]
ProbsQueryDep = Annotated[ProbsQuery, Query()]
FeaturesQueryDep = Annotated[FeaturesQuery, Query()]
