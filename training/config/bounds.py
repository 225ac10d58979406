"""Kinds of numbers in configurations: what others are refused, before anything is computed."""

from typing import Annotated

from pydantic import AfterValidator, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Natural = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


def _ascending(pair: tuple[float, float]) -> tuple[float, float]:
    if not pair[0] <= pair[1]:
        raise ValueError(f"expected the lowest and the highest, got {pair[0]:g} and {pair[1]:g}")
    return pair


Ascending = Annotated[tuple[float, float], AfterValidator(_ascending)]
"""The lowest and the highest value."""
