"""What an audio file is, without recognizing it."""

import math
from dataclasses import dataclass

from otoscope.audio.decode import AudioDecoder, Source, open_source


@dataclass(frozen=True)
class AudioFacts:
    """A file's audio.

    Attributes:
        container: of the file, "FLAC", "WAV", "mov,mp4,m4a,3gp,3g2,mj2", as its decoder calls it.
        coding: of the samples, "PCM_16", "VORBIS", "aac".
        sample_rate_hz: before any resampling.
        channels: before they are mixed.
        duration_s: of what can be decoded.
        whole: whether that is all that the file promises.
    """

    container: str
    coding: str
    sample_rate_hz: int
    channels: int
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
        return AudioFacts(*decoder.format, decoder.duration_s, whole=not decoder.truncated)
