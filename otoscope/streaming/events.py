"""What a stream tells while it is heard. Times count in seconds from the stream's start."""

from dataclasses import dataclass
from typing import TypeAlias

from otoscope.posteriors import Posteriors
from otoscope.transcript import Word
from otoscope.written.text import WrittenText


@dataclass(frozen=True)
class SpeechStarted:
    """An utterance has begun.

    Attributes:
        utterance: its number, from 0.
        start_s: when.
    """

    utterance: int
    start_s: float


@dataclass(frozen=True)
class Partial:
    """An utterance so far.

    Attributes:
        utterance: its number.
        words: all of them.
        confirmed: so many of the first words stay as they are.
    """

    utterance: int
    words: tuple[Word, ...]
    confirmed: int

    @property
    def text(self) -> str:
        """The words with one space between."""
        return text_of(self.words)


@dataclass(frozen=True)
class Final:
    """An utterance that has ended.

    Attributes:
        utterance: its number.
        words: all of them; those that were confirmed before are its first.
        written: their written text; None where they stay as heard.
        confidence: the mean of its words', 0 to 1; None where nothing was said.
        start_s, end_s: of the utterance.
        posteriors: of its frames, on a clock that begins with them.
        first_frame: the stream's frame that is their first.
    """

    utterance: int
    words: tuple[Word, ...]
    written: WrittenText | None
    confidence: float | None
    start_s: float
    end_s: float
    posteriors: Posteriors
    first_frame: int

    @property
    def text(self) -> str:
        """The words with one space between."""
        return text_of(self.words)


@dataclass(frozen=True)
class Frames:
    """Posteriors of the last frames, which replace what was told of these before.

    Attributes:
        first_frame: the stream's frame that is their first.
        posteriors: of the frames from there to the last one heard.
    """

    first_frame: int
    posteriors: Posteriors


Event: TypeAlias = SpeechStarted | Partial | Final | Frames


def text_of(words: tuple[Word, ...]) -> str:
    """The words with one space between."""
    return " ".join(word.word for word in words)
