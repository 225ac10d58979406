"""FFmpeg's libraries, through PyAV: a media file -> its format, then mono blocks.

They read strangers' bytes in half a million lines of C, so only
`otoscope.audio.decode_process` calls this, in a process of its own. FFmpeg may open media
containers only: no playlist that names other files.
"""

import io
import os
import pkgutil
import wave
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from typing import Protocol

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer

from otoscope.audio.parts import AUDIO_KINDS, Block, Format, Opened, to_mono
from otoscope.errors import UnreadableAudioError

_CONTAINERS = "mov,matroska,aac,ac3,aiff,amr,asf,au,avi,caf,flac,flv,loas,mp3,mpegts,ogg,w64,wav"
_STATES_DURATION = ("mov", "matroska")
"""Containers whose header gives the length. FFmpeg estimates it from the bit rate in others."""


class ReadableFile(Protocol):
    """What FFmpeg reads from. It has no name, whose suffix would decide how it is read."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As `io.IOBase.seek`."""

    def tell(self) -> int:
        """The position."""


def decode(file: ReadableFile) -> Iterator[Opened | Block]:
    """What is known of the file, then its blocks.

    Raises:
        UnreadableAudioError: if it is no media file that is known here, or holds no audio.
        Whatever PyAV raises at damage: FFmpegError, ValueError, IndexError and others.
    """
    with _open(file) as container:
        stream = _audio_stream(container)
        codec, rate_hz = stream.codec_context, int(stream.rate)
        described = Format(container.format.name, codec.name, rate_hz, codec.channels)
        yield Opened(described, _announced_s(container, stream))
        # Packed samples lie in one plane: PyAV walks past the end of eight planes or more.
        resampler = av.AudioResampler(format="flt", rate=rate_hz)
        for frame in chain(container.decode(stream), (None,)):
            for converted in resampler.resample(frame):
                samples = converted.to_ndarray().reshape(-1, converted.layout.nb_channels)
                yield Block(to_mono(samples), rate_hz)


def load_all() -> None:
    """Have PyAV load what it otherwise loads when it is needed: later no file can be opened."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.startswith(("av.__main__", "av.datasets")):
            import_module(module.name)
    second = io.BytesIO()
    with wave.open(second, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    for _ in decode(second):
        pass


def _open(file: ReadableFile) -> InputContainer:
    """A media container; UnreadableAudioError if it is none that is known here."""
    file.seek(0)
    try:
        return av.open(
            file,
            mode="r",
            metadata_errors="ignore",
            options={"format_whitelist": _CONTAINERS},
        )
    except (av.error.FFmpegError, ValueError) as error:
        what = "in no format known here"
        file.seek(0)
        if file.read(8)[4:] == b"ftyp":
            what = "of an mp4 or m4a whose index (moov) is missing or incomplete"
        raise UnreadableAudioError(
            f"expected audio ({AUDIO_KINDS}), got {file.seek(0, os.SEEK_END)} bytes {what}"
        ) from error


def _audio_stream(container: InputContainer) -> AudioStream:
    """The first stream of audio in a container; UnreadableAudioError if there is none."""
    if not container.streams.audio:
        raise UnreadableAudioError(
            "expected a file with an audio stream, got one with "
            f"{len(container.streams.video)} video stream(s) and no audio"
        )
    stream = container.streams.audio[0]
    if stream.codec_context is None or not stream.rate:
        raise UnreadableAudioError(
            "expected an audio stream with a known codec and sample rate, got one without"
        )
    return stream


def _announced_s(container: InputContainer, stream: AudioStream) -> float | None:
    """How long the container's header says that `stream` is; None if it doesn't."""
    if not container.format.name.startswith(_STATES_DURATION):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1
    return container.duration / av.time_base if alone and container.duration else None
