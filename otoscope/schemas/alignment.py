"""An aligned text as JSON: its models, and how it becomes one."""

from collections.abc import Sequence

from pydantic import Field

from otoscope.alignment import AlignedCharacter, AlignedText, AlignedWord
from otoscope.posteriors import FrameClock
from otoscope.schemas.transcription import Answer, CharacterAnswer, ModelName, WordAnswer


class AlignedCharacterAnswer(CharacterAnswer):
    """A character and the frames in which the model showed it."""

    start_frame: int = Field(description="The first of its frames.", examples=[9])
    end_frame: int = Field(description="The first frame after them.", examples=[10])
    score: float = Field(
        description="Mean natural log posterior in its frames, 0 at best.", examples=[-0.0726]
    )


class AlignedWordAnswer(WordAnswer):
    """A word of the text, and how well the sound agrees with it."""

    start_frame: int = Field(description="Its first character's first frame.", examples=[9])
    end_frame: int = Field(description="The first frame after its last character's.", examples=[18])
    score: float = Field(
        description="Mean natural log posterior of the path in these frames, blanks included.",
        examples=[-0.1203],
    )
    gop: float = Field(
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

    text: float = Field(
        description="log P(text | recording), over all paths that spell it.", examples=[-29.8811]
    )
    path: float = Field(
        description="The best of these paths: the one that frames and times are of.",
        examples=[-38.6541],
    )
    free_path: float = Field(
        description="The best path that may spell anything.", examples=[-18.5827]
    )


class AlignmentAnswer(Answer):
    """Which frames show each character of the text."""

    text: str = Field(
        description="What was aligned: the given text in the model's alphabet.",
        examples=["hello world"],
    )
    duration_s: float = Field(description="Length of the recording in seconds.", examples=[1.53])
    frame_s: float = Field(
        description="Seconds between frames; frame i is centred on i * frame_s.", examples=[0.04]
    )
    frames: int = Field(description="Frames of the recording.", examples=[39])
    log_prob: LogProbAnswer
    words: list[AlignedWordAnswer]
    model: ModelName
    warnings: list[str] = Field(
        description="What went less than well, such as a file that breaks off.", examples=[[]]
    )


def alignment_answer(
    aligned: AlignedText,
    clock: FrameClock,
    frames: int,
    model: ModelName,
    warnings: Sequence[str],
) -> AlignmentAnswer:
    """Times to the millisecond, scores to four decimals."""
    return AlignmentAnswer(
        text=aligned.text,
        duration_s=round(clock.duration_s, 3),
        frame_s=clock.frame_s,
        frames=frames,
        log_prob=LogProbAnswer(
            text=round(aligned.log_prob, 4),
            path=round(aligned.path_log_prob, 4),
            free_path=round(aligned.free_log_prob, 4),
        ),
        words=[_word(word) for word in aligned.words],
        model=model,
        warnings=list(warnings),
    )


def _word(word: AlignedWord) -> AlignedWordAnswer:
    return AlignedWordAnswer(
        word=word.word,
        start_s=round(word.start_s, 3),
        end_s=round(word.end_s, 3),
        confidence=round(word.confidence, 4),
        start_frame=word.start_frame,
        end_frame=word.end_frame,
        score=round(word.score, 4),
        gop=round(word.gop, 4),
        gop_start_frame=word.gop_start_frame,
        gop_end_frame=word.gop_end_frame,
        characters=[_character(character) for character in word.characters],
    )


def _character(character: AlignedCharacter) -> AlignedCharacterAnswer:
    return AlignedCharacterAnswer(
        character=character.character,
        start_s=round(character.start_s, 3),
        end_s=round(character.end_s, 3),
        confidence=round(character.confidence, 4),
        start_frame=character.start_frame,
        end_frame=character.end_frame,
        score=round(character.score, 4),
    )
