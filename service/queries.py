"""What a client may ask for when it looks into a recording, as fields of the query."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from service.negotiation import Format
from service.schemas import Unit
from service.store import ID_PATTERN

ResultId = Annotated[str, Field(pattern=ID_PATTERN, description="From POST /transcribe.")]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PartQuery(BaseModel):
    """A part of a recording, in a format."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format | None = Field(
        default=None, description="Wins over the Accept header; by default the latter chooses."
    )
    from_s: Seconds | None = Field(
        default=None, description="Frames centred at or after this time, in seconds."
    )
    to_s: Seconds | None = Field(
        default=None,
        description="Frames centred before this time, in seconds, not beyond the recording's end.",
    )


class ViewQuery(PartQuery):
    """What POST /probs is asked for."""

    unit: Unit = Field(
        default="character",
        description="What the columns are; phonemes need a model that has a phoneme head.",
    )
    symbols: list[str] = Field(
        default=[],
        description="Only these columns, in this order: separated by commas or given repeatedly; "
        "`space` and `blank` are names for the space and the CTC blank. All by default. A row of "
        "some columns sums to less than 1.",
        examples=[["a,b,space,blank"]],
    )
    top_k: int | None = Field(
        default=None,
        ge=1,
        description="Of each frame only the k most probable symbols, most probable first (json "
        "and csv).",
    )


class ProbsQuery(ViewQuery):
    """What GET /probs is asked for."""

    id: ResultId


class FeaturesQuery(PartQuery):
    """What GET /features is asked for."""

    id: ResultId


ViewQueryDep = Annotated[ViewQuery, Query()]
ProbsQueryDep = Annotated[ProbsQuery, Query()]
FeaturesQueryDep = Annotated[FeaturesQuery, Query()]
