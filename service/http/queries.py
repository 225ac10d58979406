"""Queries of the routes that give matrices."""

from collections import Counter
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import Span, ViewOptions
from service.errors import QueryError
from service.http.forms import NoOptions, query_fields, read_options
from service.http.options import MODEL_DESCRIBED
from service.store.base import ID_PATTERN

ResultId = Annotated[str, Field(pattern=ID_PATTERN, description="From POST /transcribe.")]


class ModelQuery(BaseModel):
    """Which of the models is meant."""

    model_config = ConfigDict(extra="forbid")

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


_LISTS = ("symbols",)
"""Parameters that may be given repeatedly."""


def _require_single(request: Request) -> None:
    """Refuse a parameter given twice, of which FastAPI would take the last one."""
    for name, count in Counter(name for name, _ in query_fields(request)).items():
        if count > 1 and name not in _LISTS:
            raise QueryError(f"{name:.200}: expected one value, got {count}")


SINGLE = Depends(_require_single)
"""For routers whose routes have the queries below."""


def _require_none(request: Request) -> None:
    read_options(query_fields(request), NoOptions)


NONE = Depends(_require_none)
"""For routers whose routes have no queries: FormError if there is one."""

ModelQueryDep = Annotated[ModelQuery, Query()]
FreshViewQueryDep = Annotated[FreshViewQuery, Query()]
ProbsQueryDep = Annotated[ProbsQuery, Query()]
FeaturesQueryDep = Annotated[FeaturesQuery, Query()]
