"""What a decoder hands out: a file's format, then blocks of its samples."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from otoscope.errors import AudioRateError, AudioTooLongError
from otoscope.strict_json import Strict

Samples = npt.NDArray[np.float32]
Source: TypeAlias = bytes | str | Path | BinaryIO
"""A file's bytes, its path, or the file itself, open for reading and seeking."""

AUDIO_KINDS = "wav, flac, ogg, opus, mp3, m4a, mp4, aac or webm"
"""Those that people have; FFmpeg reads what `otoscope.audio.ffmpeg` lists, too."""


AUDIO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("wav", "flac", "ogg", "oga", "opus", "mp3", "m4a", "mp4", "aac", "webm", "mkv", "mov"),
        *("aif", "aiff", "aifc", "amr", "wma", "caf", "au", "w64", "mp2", "ac3", "eac3"),
        *("m4b", "m4v", "3gp", "3g2", "mka", "weba", "avi", "flv", "ts"),
    )
)
"""Suffixes of audio files in folders, in lower case."""


class Block(NamedTuple):
    """Some of a file's audio.

    Attributes:
        samples: (samples,) float32, mono.
        rate_hz: of this block; it changes where one decoder goes on for another.
        channels: before they were mixed, or one was chosen; they may change, too.
    """

    samples: Samples
    rate_hz: int
    channels: int = 1


@dataclass(frozen=True)
class Format(Strict):
    """How a file holds its audio.

    Attributes:
        container: "FLAC", "WAV", "mov,mp4,m4a,3gp,3g2,mj2", as the decoder calls it.
        coding: of the samples, "PCM_16", "VORBIS", "aac".
        sample_rate_hz: before any resampling.
        channels: before they are mixed.
    """

    container: str
    coding: str
    sample_rate_hz: int
    channels: int


@dataclass(frozen=True)
class Opened(Strict):
    """What is known of a file before it is decoded.

    Attributes:
        format: how it holds its audio.
        announced_s: how long the header says it is, from where a player begins; None if it
            doesn't.
        tracks: with audio, also those that can't be decoded.
    """

    format: Format
    announced_s: float | None
    tracks: int


@dataclass(frozen=True)
class Remark(Strict):
    """What there is to say about how a file was read.

    Attributes:
        text: for people.
    """

    text: str


@dataclass(frozen=True)
class Waiting(Strict):
    """Everything read of a stream is decoded, and the decoder waits for more.

    Attributes:
        read_bytes: read so far.
    """

    read_bytes: int


def too_long(longest_s: float) -> AudioTooLongError:
    """What more sound than `longest_s` seconds is answered with."""
    return AudioTooLongError(f"expected at most {longest_s:g} s of audio, got more")


MIN_RATE_HZ = 1000
"""No recorder is slower. A few bytes at 1 Hz would become gigabytes at a model's rate."""


def check_rate(rate_hz: int) -> None:
    """AudioRateError if it is none of a recorder."""
    if rate_hz < MIN_RATE_HZ:
        raise AudioRateError(
            f"expected a sample rate of at least {MIN_RATE_HZ} Hz, got {rate_hz} Hz"
        )


class Choice(NamedTuple):
    """Which of a file's sounds to read, each field a byte.

    Attributes:
        track: of those with audio, from 1; 0 for the one that a player would choose.
        channel: from 1; 0 for all, mixed.
        opened_only: whether none is read, only what is known of a file before.
        channels: that some of the file is known to have: what has fewer is silent on the others.
    """

    track: int = 0
    channel: int = 0
    opened_only: bool = False
    channels: int = 0


THE_USUAL = Choice()
