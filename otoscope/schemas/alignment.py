"""An aligned text, as JSON."""

from pydantic import Field

from otoscope.schemas.base import Answer, ModelName, Score, TimeS
from otoscope.schemas.transcription import CharacterAnswer, WordAnswer


class AlignedCharacterAnswer(CharacterAnswer):
    """A character and the frames in which the model showed it."""

    start_frame: int = Field(description="The first of its frames.", examples=[9])
    end_frame: int = Field(description="The first frame after them.", examples=[10])
    score: Score = Field(
        description="Mean natural log posterior in its frames, 0 at best.", examples=[-0.0726]
    )


class AlignedWordAnswer(WordAnswer):
    """A word of the text, and how well the sound agrees with it."""

    start_frame: int = Field(description="Its first character's first frame.", examples=[9])
    end_frame: int = Field(description="The first frame after its last character's.", examples=[18])
    score: Score = Field(
        description="Mean natural log posterior of the path in these frames, blanks included.",
        examples=[-0.1203],
    )
    gop: Score = Field(
        description="Goodness of pronunciation, 0 at best: how much less probable the text is than "
        "what the model would have written by itself, in natural log a frame.",
        examples=[-0.0417],
    )
    gop_start_frame: int = Field(
        description="The first of the frames that `gop` is about: those between the spaces, "
        "without the outer ones in which nothing was heard.",
        examples=[9],
    )
    gop_end_frame: int = Field(description="The first frame after them.", examples=[18])
    characters: list[AlignedCharacterAnswer]


class LogProbAnswer(Answer):
    """Natural logarithms of probabilities of the whole text."""

    text: Score = Field(
        description="log P(text | recording), over all paths that spell it.", examples=[-29.8811]
    )
    path: Score = Field(
        description="The best of these paths: the one that frames and times are of.",
        examples=[-38.6541],
    )
    free_path: Score = Field(
        description="The best path that may spell anything.", examples=[-18.5827]
    )


class AlignmentAnswer(Answer):
    """Which frames show each character of the text."""

    text: str = Field(
        description="What was aligned: the given text in the model's alphabet.",
        examples=["hello world"],
    )
    duration_s: TimeS = Field(description="Length of the recording in seconds.", examples=[1.53])
    frame_s: float = Field(
        description="Seconds between frames; frame i is centred on i * frame_s.", examples=[0.04]
    )
    frames: int = Field(description="Frames of the recording.", examples=[39])
    log_prob: LogProbAnswer
    words: list[AlignedWordAnswer]
    model: ModelName
    warnings: list[str] = Field(
        description="Problems that did not prevent a result, such as a truncated file.",
        examples=[[]],
    )
