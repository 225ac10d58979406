"""JSON documents about recordings and models.

The service responds with them, `otoscope.client` reads them, and the command writes them.
"""

from otoscope.schemas.alignment import (
    AlignedCharacterAnswer,
    AlignedWordAnswer,
    AlignmentAnswer,
)
from otoscope.schemas.status import LiveAnswer, ModelAnswer, ReadyAnswer
from otoscope.schemas.transcription import (
    Answer,
    CharacterAnswer,
    FeaturesAnswer,
    FreshProbs,
    HypothesisAnswer,
    ModelName,
    PhraseAnswer,
    Problem,
    ProbsAnswer,
    SegmentAnswer,
    SpelledWordAnswer,
    TranscriptAnswer,
    Transcription,
    WordAnswer,
)

__all__ = [
    "AlignedCharacterAnswer",
    "AlignedWordAnswer",
    "AlignmentAnswer",
    "Answer",
    "CharacterAnswer",
    "FeaturesAnswer",
    "FreshProbs",
    "HypothesisAnswer",
    "LiveAnswer",
    "ModelAnswer",
    "ModelName",
    "PhraseAnswer",
    "Problem",
    "ProbsAnswer",
    "ReadyAnswer",
    "SegmentAnswer",
    "SpelledWordAnswer",
    "TranscriptAnswer",
    "Transcription",
    "WordAnswer",
]
