"""What the routes answer, as OpenAPI shows it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from otoscope.spec import ModelSpec

Unit = Literal["character", "phoneme"]
"""What the columns of a matrix are."""


class Answer(BaseModel):
    """Base of all answers: fixed once built, nothing unlisted in them."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Answer):
    """An error, RFC 9457 (application/problem+json)."""

    type: str = Field(
        default="about:blank",
        description="Names the kind of error; about:blank where the status says it all.",
        examples=["urn:otoscope:problem:audio-too-short"],
    )
    title: str = Field(description="The kind of error in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(
        description="What was expected and what came.",
        examples=["expected at least 400 samples at 16000 Hz (25 ms), got 1 (0.1 ms)"],
    )
    errors: list[str] | None = Field(
        default=None, description="Each wrong field, where there are several."
    )


class WordAnswer(Answer):
    """A word and when it was said."""

    word: str = Field(examples=["hello"])
    start_s: float = Field(description="Seconds from the start of the recording.", examples=[0.34])
    end_s: float = Field(description="Seconds from the start of the recording.", examples=[0.7])
    confidence: float = Field(
        description="Geometric mean of its characters' posteriors, 0 to 1.", examples=[0.93]
    )


class ModelName(Answer):
    """Which weights answered."""

    name: str = Field(examples=["english"])
    sha256: str = Field(description="Of the model file, hexadecimal.")


class ProbsAnswer(Answer):
    """P(c | x_t): one row a frame, one column a symbol."""

    id: str = Field(description="The transcription's id.")
    unit: Unit = Field(description="What the columns are: characters, or phonemes.")
    symbols: list[str] = Field(
        description="Names of the columns, in order; the CTC blank is the last.",
        examples=[["a", "b", "c", "<blank>"]],
    )
    frame_s: float = Field(
        description="Seconds between frames; row i is centred on i * frame_s.", examples=[0.04]
    )
    shape: tuple[int, int] = Field(description="Frames, symbols.", examples=[[250, 29]])
    probs: list[list[float]] = Field(
        description="Probabilities to 6 decimals. A row sums to 1 within 1e-4.",
        examples=[[[0.01, 0.0, 0.0, 0.99]]],
    )


class Transcription(Answer):
    """What was said."""

    id: str = Field(description="Fetches the posteriors: GET /probs?id=...")
    text: str = Field(description="Empty where nothing was said.", examples=["hello world"])
    duration_s: float = Field(description="Length of the recording in seconds.", examples=[1.53])
    frame_s: float = Field(description="Seconds between the model's frames.", examples=[0.04])
    confidence: float | None = Field(
        description="Geometric mean over all characters, 0 to 1; null where there is no text.",
        examples=[0.91],
    )
    words: list[WordAnswer]
    model: ModelName
    warnings: list[str] = Field(
        description="What went less than well, such as a file that breaks off.", examples=[[]]
    )
    probs: ProbsAnswer | None = Field(
        default=None, description="What GET /probs gives; there only if asked for with probs=true."
    )


class ModelAnswer(Answer):
    """The model that is served."""

    name: str = Field(examples=["english"])
    sha256: str = Field(description="Of the model file, hexadecimal.")
    parameters: int = Field(description="Number of trained weights.")
    training_hours: float = Field(description="Hours of transcribed audio it was trained on.")
    frame_s: float = Field(description="Seconds between output frames.", examples=[0.04])
    dev_wer: float | None = Field(
        description="Word error rate on the dev set, a fraction; null if not measured."
    )
    dev_cer: float | None = Field(
        description="Character error rate on the dev set, a fraction; null if not measured."
    )
    spec: ModelSpec = Field(description="Features, alphabet, stride and provenance.")
    evaluation: dict[str, Any] | None = Field(description="evaluation.json beside the model.")
    parity: dict[str, Any] | None = Field(
        description="parity.json beside the model: how far ONNX and training disagree."
    )


class LiveAnswer(Answer):
    """The process answers."""

    status: str = Field("live", examples=["live"])


class ReadyAnswer(Answer):
    """The model has been through its warm-up."""

    status: str = Field("ready", examples=["ready"])
    model: ModelName
    warm_up_ms: float = Field(description="Time from the golden clip's bytes to its text.")
    golden_frames: int = Field(description="Output frames of the golden clip.")
