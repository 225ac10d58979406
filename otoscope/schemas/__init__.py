"""What is said about a recording or a model, as JSON documents.

The service answers with them, `otoscope.client` reads them, and `otoscope transcribe` writes them.
"""

from otoscope.schemas.alignment import (
    AlignedCharacterAnswer,
    AlignedWordAnswer,
    AlignmentAnswer,
    alignment_answer,
)
from otoscope.schemas.status import LiveAnswer, ModelAnswer, ReadyAnswer
from otoscope.schemas.transcription import (
    Answer,
    CharacterAnswer,
    DecoderName,
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
    "DecoderName",
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
    "alignment_answer",
]
