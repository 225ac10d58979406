"""JSON documents that hold a matrix: posteriors and features."""

from pydantic import Field

from otoscope.features import FeatureSpec
from otoscope.posteriors import Unit
from otoscope.schemas.base import Answer


class BlankProb(Answer):
    """The CTC blank's probability over the frames of the whole recording, to 6 decimals."""

    mean: float = Field(examples=[0.61])
    median: float = Field(examples=[0.93])
    min: float = Field(examples=[0.0])
    max: float = Field(examples=[0.999999])


class ProbsMatrix(Answer):
    """P(c | x_t): one row per frame, one column per symbol."""

    unit: Unit = Field(description="What the columns are: characters, or phonemes.")
    symbols: list[str] = Field(
        description="Names of the columns, in order; the CTC blank is the last unless the query "
        "chose columns.",
        examples=[["a", "b", "c", "<blank>"]],
    )
    frame_s: float = Field(
        description="Seconds between frames; row i is centred on start_s + i * frame_s.",
        examples=[0.04],
    )
    start_s: float = Field(
        description="The centre of the first row, in seconds; 0 unless from_s was given.",
        examples=[0.0],
    )
    shape: tuple[int, int] = Field(
        description="Of probs: frames, and symbols or top_k.", examples=[[250, 29]]
    )
    blank_share: float = Field(
        description="Share of all the recording's frames in which the blank is the likeliest.",
        examples=[0.61],
    )
    blank_prob: BlankProb
    entropy_nats: list[float] = Field(
        description="For each row the entropy of its distribution over all symbols (chosen or "
        "not), natural logarithm: 0 where the model is certain.",
        examples=[[0.06]],
    )
    indices: list[list[int]] | None = Field(
        default=None,
        description="With top_k only: for each row the places in symbols, from 0, of its top_k "
        "most probable ones, most probable first; probs has their probabilities.",
    )
    probs: list[list[float]] = Field(
        description="Probabilities to 6 decimals. A row of all symbols sums to 1 within 1e-4.",
        examples=[[[0.01, 0.0, 0.0, 0.99]]],
    )


class ProbsAnswer(ProbsMatrix):
    """The posteriors of a transcription."""

    id: str | None = Field(
        description="The transcription's id; null with probs=true if it could not be kept.",
        examples=["8f2c1d7e5b3a49608d1f0e2c4b6a7981"],
    )


class FreshProbs(ProbsMatrix):
    """The posteriors of a file that came with the request."""

    warnings: list[str] = Field(
        description="Problems that did not prevent a result, such as a truncated file.",
        examples=[[]],
    )


class FeaturesAnswer(Answer):
    """The features: one row per frame, one column per bin, exactly as the model read them."""

    id: str = Field(
        description="The transcription's id.", examples=["8f2c1d7e5b3a49608d1f0e2c4b6a7981"]
    )
    spec: FeatureSpec = Field(description="How the features were computed.")
    frame_s: float = Field(
        description="Seconds between frames; row i is centred on start_s + i * frame_s.",
        examples=[0.01],
    )
    start_s: float = Field(
        description="The centre of the first row, in seconds; 0 unless from_s was given.",
        examples=[0.0],
    )
    shape: tuple[int, int] = Field(description="Frames, bins.", examples=[[1000, 80]])
    features: list[list[float]] = Field(
        description="Written so that each number reads back as the same float32."
    )
