"""Who recognizes: a model on this machine, or a service.

Both give the documents that the service answers with, so all formats are written from those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from otoscope.decoding.options import DecodingOptions
from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import Selection
from otoscope.recognizer import Recognition
from otoscope.schemas import AlignmentAnswer, TranscriptAnswer

Recording: TypeAlias = bytes | Path
"""What came on standard input, or a file."""


@dataclass(frozen=True)
class Output:
    """What is written about one recording.

    Attributes:
        body: of the file.
        audio_s: length of the recording; 0 where nobody said.
        warnings: what there was to say about reading it.
    """

    body: bytes
    audio_s: float = 0.0
    warnings: Sequence[str] = ()


class Backend(Protocol):
    """What the commands need of whoever listens. Each raises OtoscopeError or OSError."""

    def transcribe(self, recording: Recording, options: DecodingOptions) -> TranscriptAnswer:
        """What is said, with characters and segments."""

    def align(self, recording: Recording, text: str) -> AlignmentAnswer:
        """Where each character of the text is."""

    def recognize(self, recording: Recording) -> Recognition:
        """X and posteriors."""

    def probs(self, recording: Recording, form: MatrixFormat, selection: Selection) -> Output:
        """Posteriors as csv, npy, json or png."""

    def facts(self) -> dict[str, Any]:
        """What is known about the model, for JSON."""
