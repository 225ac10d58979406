"""What is said about a recording or a model, as JSON documents.

The service answers with them, `otoscope.client` reads them, and `otoscope transcribe` writes them.
"""

from otoscope.answers.aligned import (
    AlignedCharacterAnswer,
    AlignedWordAnswer,
    AlignmentAnswer,
    alignment_answer,
)
from otoscope.answers.schemas import (
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
    Unit,
    WordAnswer,
)
from otoscope.answers.served import LiveAnswer, ModelAnswer, ReadyAnswer

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
    "Unit",
    "WordAnswer",
    "alignment_answer",
]
