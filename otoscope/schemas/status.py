"""JSON documents about a service and its model."""

from typing import Any, Literal

from pydantic import Field

from otoscope.schemas.base import Answer, ModelName
from otoscope.spec import ModelSpec


class ModelAnswer(ModelName):
    """The model that is served."""

    exact_sha256: str = Field(
        description="Of the model file that this one is the 8-bit form of; the same as sha256 if "
        "this one's weights are exact.",
        examples=["e9cea9c2a9f6e0a1e5a5d9f3b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9"],
    )
    parameters: int = Field(description="Number of trained weights.", examples=[10300000])
    training_hours: float = Field(
        description="Hours of audio it was trained on, of people and of synthetic voices.",
        examples=[14.1],
    )
    frame_s: float = Field(description="Seconds between output frames.", examples=[0.04])
    punctuation: ModelName | None = Field(
        default=None,
        description="The model that gives texts capitals and punctuation; null if there is none, "
        "and texts stay as heard.",
    )
    dev_wer: float | None = Field(
        description="Word error rate on the dev set, a fraction; null if not measured.",
        examples=[0.66],
    )
    dev_cer: float | None = Field(
        description="Character error rate on the dev set, a fraction; null if not measured.",
        examples=[0.26],
    )
    served: list[ModelName] = Field(
        default_factory=list,
        description="All served models, of which `model=` in a request selects one by name; the "
        "first by default. Empty without a service.",
    )
    spec: ModelSpec = Field(description="Features, alphabet, stride and provenance.")
    evaluation: dict[str, Any] | None = Field(description="evaluation.json beside the model.")
    parity: dict[str, Any] | None = Field(
        description="parity.json beside the model: how far ONNX and training disagree, before "
        "weights are rounded to 8 bits."
    )


class LiveAnswer(Answer):
    """The process responds."""

    status: str = Field("live", examples=["live"])


class ReadyAnswer(Answer):
    """The model has warmed up."""

    status: Literal["ready", "degraded"] = Field(
        description="degraded: recordings become text, but results are not kept.",
        examples=["ready"],
    )
    store: Literal["available", "unavailable"] = Field(
        description="Whether results can be kept and fetched just now.", examples=["available"]
    )
    model: ModelName
    warm_up_ms: float = Field(
        description="Time from the golden clip's bytes to its text.", examples=[41.7]
    )
    golden_frames: int = Field(description="Output frames of the golden clip.", examples=[25])
