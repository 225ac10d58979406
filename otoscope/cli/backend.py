"""What runs the model: this machine, or a service.

Both return the documents that the service answers with, so all formats are written from those.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from otoscope.decoding.options import DecodingOptions
from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import ViewOptions
from otoscope.local_model import Recording
from otoscope.recognizer import Recognition
from otoscope.schemas import AlignmentAnswer, TranscriptAnswer
from otoscope.schemas.streaming import SaidMessage
from otoscope.transcript import Style


@dataclass(frozen=True)
class Output:
    """What is written about one recording.

    Attributes:
        body: of the file.
        audio_s: length of the recording; 0 if it is not known.
        warnings: about reading the recording.
    """

    body: bytes
    audio_s: float = 0.0
    warnings: Sequence[str] = ()


class Backend(Protocol):
    """A model as the commands need it. Each method raises OtoscopeError or OSError."""

    def transcribe(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        """What is said, with characters and segments, and written as `Writer.write` does."""

    def listen(
        self,
        pieces: Iterable[bytes],
        sample_rate_hz: int,
        options: DecodingOptions,
        style: Style | None,
    ) -> Iterator[SaidMessage]:
        """Words while they are spoken.

        Args:
            pieces: 16-bit little-endian samples of one channel, any number of bytes at a time; what
                they raise is raised.
            sample_rate_hz: of the samples.
            options: of decoding; those about phrases and n-best lists are not heeded.
            style: of finals' written text, as of `transcribe`.
        """

    def align(self, recording: Recording, text: str) -> AlignmentAnswer:
        """Where each character of the text is."""

    def recognize(self, recording: Recording) -> Recognition:
        """Posteriors with features."""

    def probs(self, recording: Recording, form: MatrixFormat, selection: ViewOptions) -> Output:
        """Posteriors as a file."""

    def facts(self) -> dict[str, Any]:
        """What is known about the model, for JSON."""
