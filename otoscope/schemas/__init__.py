"""JSON documents about recordings and models.

The service responds with them, `otoscope.client` reads them, and the command writes them.
"""

from otoscope.schemas.alignment import AlignmentAnswer
from otoscope.schemas.base import Answer, ModelName, Problem
from otoscope.schemas.matrices import FeaturesAnswer, FreshProbs, ProbsAnswer
from otoscope.schemas.progress import FinishedAnswer, ProgressAnswer
from otoscope.schemas.status import LiveAnswer, ModelAnswer, ReadyAnswer
from otoscope.schemas.transcription import TranscriptAnswer, Transcription

__all__ = [
    "AlignmentAnswer",
    "Answer",
    "FeaturesAnswer",
    "FinishedAnswer",
    "FreshProbs",
    "LiveAnswer",
    "ModelAnswer",
    "ModelName",
    "Problem",
    "ProbsAnswer",
    "ProgressAnswer",
    "ReadyAnswer",
    "TranscriptAnswer",
    "Transcription",
]
