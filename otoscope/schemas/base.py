"""What JSON documents have in common. Times are to the millisecond, scores to four decimals."""

from functools import partial
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

TimeS: TypeAlias = Annotated[float, AfterValidator(partial(round, ndigits=3))]
Score: TypeAlias = Annotated[float, AfterValidator(partial(round, ndigits=4))]


class Answer(BaseModel):
    """Base of all responses: immutable, and made of results as well as of JSON.

    Fields that a later version adds are ignored on reading.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Problem(Answer):
    """An error, RFC 9457 (application/problem+json)."""

    type: str = Field(
        default="about:blank",
        description="Names the kind of error; about:blank where the status says it all.",
        examples=["urn:otoscope:problem:audio-too-short"],
    )
    title: str = Field(
        description="The kind of error in words.", examples=["The audio is too short"]
    )
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(
        description="What was expected and what came.",
        examples=["expected at least 400 samples at 16000 Hz (25 ms), got 1 (0.1 ms)"],
    )
    errors: list[str] | None = Field(
        default=None, description="Each wrong field, where there are several."
    )


class ModelName(Answer):
    """The model that was used."""

    name: str = Field(examples=["english"])
    sha256: str = Field(
        description="Of the model file, hexadecimal.",
        examples=["e9cea9c2a9f6e0a1e5a5d9f3b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9"],
    )
