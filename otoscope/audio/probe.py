"""What an audio file is, without recognising it."""

import math
from dataclasses import dataclass

import soundfile

from otoscope.audio.decode import (
    Decoder,
    OneWaySoundFile,
    Source,
    Unnamed,
    audio_stream,
    open_ffmpeg,
    open_source,
    size_bytes,
)
from otoscope.audio.truncation import breaks_off
from otoscope.errors import EmptyAudioError, UnreadableAudioError


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
    """Look into a file, and decode it once to know how long it is.

    Raises:
        EmptyAudioError, UnreadableAudioError: if there is no audio in it.
        FileNotFoundError: if a path does not exist.
    """
    with open_source(source) as file:
        if size_bytes(file) == 0:
            raise EmptyAudioError("expected an audio file, got 0 bytes")
        container, coding, rate_hz, channels = _format(Unnamed(file))
        decoder = Decoder(file, math.inf)
        for _ in decoder:
            pass  # it counts
        whole = not (decoder.falls_short or breaks_off(file))
    if decoder.duration_s == 0 and decoder.failure is not None:
        raise UnreadableAudioError(f"the audio can't be decoded: {decoder.failure}")
    return AudioFacts(container, coding, rate_hz, channels, decoder.duration_s, whole)


def _format(file: Unnamed) -> tuple[str, str, int, int]:
    """Container, coding, rate and channels."""
    file.seek(0)
    try:
        with OneWaySoundFile(file) as sound:
            return sound.format, sound.subtype, int(sound.samplerate), int(sound.channels)
    except soundfile.LibsndfileError:
        with open_ffmpeg(file) as container:
            stream = audio_stream(container)
            codec = stream.codec_context
            return container.format.name, codec.name, int(stream.rate), int(codec.channels)
