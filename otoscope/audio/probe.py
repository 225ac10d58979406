"""What an audio file is, without recognizing it."""

import math
from dataclasses import dataclass

from otoscope.audio.decode import AudioDecoder, open_source
from otoscope.audio.parts import Format, Source


@dataclass(frozen=True)
class AudioFacts(Format):
    """A file's audio.

    Attributes:
        duration_s: of what can be decoded.
        whole: whether that is all that the file promises.
    """

    duration_s: float
    whole: bool


def probe(source: Source) -> AudioFacts:
    """Decode a file once, to know how long it is as well.

    Raises:
        EmptyAudioError, UnreadableAudioError: if there is no audio in it.
        FileNotFoundError: if a path does not exist.
    """
    with open_source(source) as file:
        decoder = AudioDecoder(file, math.inf)
        for _ in decoder:
            pass  # it counts
        return AudioFacts(
            **vars(decoder.format), duration_s=decoder.duration_s, whole=not decoder.truncated
        )
