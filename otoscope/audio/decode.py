"""An audio file -> mono blocks at its own rate: the only decoder.

libsndfile (through soundfile) reads wav, flac, ogg, opus and mp3; what it does not know goes to
FFmpeg's libraries through PyAV, which read m4a, mp4, aac, webm and more. Both ship inside their
wheels. Decoding runs block by block, so a small file that claims or holds many hours stops at the
limit instead of filling the memory. FFmpeg may open media containers only: no playlist that names
other files.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import av
import av.error
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.stream import AudioStream
from av.container import InputContainer

from otoscope.audio.truncation import breaks_off
from otoscope.errors import (
    AudioRateError,
    AudioTooLongError,
    EmptyAudioError,
    UnreadableAudioError,
)

Samples = npt.NDArray[np.float32]
Source: TypeAlias = bytes | str | Path | BinaryIO
"""A file's bytes, its path, or the file itself, open for reading and seeking."""

AUDIO_KINDS = "wav, flac, ogg, opus, mp3, m4a, mp4, aac or webm"
"""Those that people have; FFmpeg reads what `_FFMPEG_CONTAINERS` lists, too."""

BLOCK_SAMPLES = 2**17
"""Samples of all channels decoded at once, at most: 8 s of mono at 16 kHz, in 512 kB. Few blocks,
because threads that decode side by side wait for one another at each; small ones, because FFmpeg
decodes again the block in which libsndfile fails."""

_MIN_BLOCK_SAMPLES = 2**13
"""Asked for in the end, in case there are more than the header says."""

MIN_RATE_HZ = 1000
"""No recorder is slower. A few bytes at 1 Hz would become gigabytes at a model's rate."""

_HEADER_SLACK_S = 0.1
"""A stream shorter than its header says by more than this is truncated. An mp3 frame is 72 ms."""

_FRAMES_UNKNOWN = 2**62
"""libsndfile announces at least so many frames where it can't know the length."""

_FFMPEG_CONTAINERS = (
    "mov,matroska,aac,ac3,aiff,amr,asf,au,avi,caf,flac,flv,loas,mp3,mpegts,ogg,w64,wav"
)
_FFMPEG_STATES_DURATION = ("mov", "matroska")
"""Containers whose header gives the length. FFmpeg estimates it from the bit rate in others."""


class Block(NamedTuple):
    """Some of a file's audio.

    Attributes:
        samples: (samples,) float32, mono.
        rate_hz: of this block; it changes where one decoder goes on for another.
    """

    samples: Samples
    rate_hz: int


@dataclass(frozen=True)
class Format:
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


class NamelessFile:
    """An open file without its name, whose suffix must not decide how it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


class AudioDecoder:
    """The blocks of one file, to be iterated over once.

    Attributes:
        format: as the first decoder that knows the file calls it; empty before.
        duration_s: seconds decoded so far.
        announced_s: how long the header says they are; None if it doesn't.
        failure: why decoding stopped before the end; None if it didn't.
    """

    def __init__(self, file: BinaryIO, max_duration_s: float) -> None:
        self.format = Format("", "", 0, 0)
        self.duration_s = 0.0
        self.announced_s: float | None = None
        self.failure: str | None = None
        self._file, self._nameless = file, NamelessFile(file)
        self._max_duration_s = max_duration_s

    @property
    def truncated(self) -> bool:
        """Whether less came, by the end of the iteration, than the file promised."""
        announced_s = self.announced_s or 0.0
        short = self.duration_s < announced_s - _HEADER_SLACK_S
        return self.failure is not None or short or breaks_off(self._file)

    def __iter__(self) -> Iterator[Block]:
        """Decode.

        Raises:
            UnreadableAudioError: if no decoder knows the file, or none can decode any of it.
            AudioRateError: if its sample rate is below MIN_RATE_HZ.
            AudioTooLongError: beyond the limit.
        """
        self._file.seek(0)
        try:
            sound_file = SequentialSoundFile(self._nameless)
        except soundfile.LibsndfileError:
            yield from self._ffmpeg()
        else:
            with sound_file:
                yield from self._libsndfile(sound_file)
            if self.failure is not None:
                yield from self._ffmpeg_after_failure()
        if self.duration_s == 0 and self.failure is not None:
            raise UnreadableAudioError(f"the audio can't be decoded: {self.failure}")

    def _libsndfile(self, file: soundfile.SoundFile) -> Iterator[Block]:
        self.format = Format(file.format, file.subtype, file.samplerate, file.channels)
        known = file.frames < _FRAMES_UNKNOWN
        self.announced_s = file.frames / file.samplerate if known else None
        yield from self._take(_sndfile_blocks(file), file.samplerate)

    def _ffmpeg_after_failure(self) -> Iterator[Block]:
        """FFmpeg's blocks of what follows.

        libsndfile gives up on some whole Opus files, and at the first damage.
        """
        first, failure, reached_s = (self.format, self.announced_s), self.failure, self.duration_s
        try:
            yield from self._ffmpeg()
        except UnreadableAudioError:
            self.failure = failure
        if self.duration_s <= reached_s:
            self.failure = failure
        self.format, self.announced_s = first

    def _ffmpeg(self) -> Iterator[Block]:
        """FFmpeg's blocks from `duration_s` on."""
        with _open_ffmpeg(self._nameless) as container:
            stream = _audio_stream(container)
            codec, rate_hz = stream.codec_context, int(stream.rate)
            self.format = Format(container.format.name, codec.name, rate_hz, codec.channels)
            self.announced_s = _announced_s(container, stream)
            yield from self._take(_ffmpeg_blocks(container, stream), rate_hz)

    def _take(self, source: Iterator[Samples], rate_hz: int) -> Iterator[Block]:
        """Blocks from `duration_s` on until the stream ends, its decoder fails or the limit."""
        if rate_hz < MIN_RATE_HZ:
            raise AudioRateError(
                f"expected a sample rate of at least {MIN_RATE_HZ} Hz, got {rate_hz} Hz"
            )
        self.failure = None
        skip, taken = round(self.duration_s * rate_hz), 0
        try:
            for samples in source:
                fresh = samples[max(0, skip - taken) :]
                taken += samples.shape[0]
                if taken > self._max_duration_s * rate_hz:
                    raise AudioTooLongError(
                        f"expected at most {self._max_duration_s:g} s of audio, got more"
                    )
                if fresh.size:
                    self.duration_s = taken / rate_hz
                    yield Block(fresh, rate_hz)
        except (soundfile.LibsndfileError, av.error.FFmpegError, ValueError) as error:
            self.failure = str(error)


@contextmanager
def open_source(source: Source) -> Iterator[BinaryIO]:
    """`source` as a file; one that was open stays open. EmptyAudioError if it holds no bytes."""
    if isinstance(source, str | Path):
        with Path(source).open("rb") as opened, open_source(opened) as file:
            yield file
        return
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    if file.seek(0, os.SEEK_END) == 0:
        raise EmptyAudioError("expected an audio file, got 0 bytes")
    yield file


class SequentialSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file read from start to end: soundfile seeks after each read of others, at a price."""

    def seekable(self) -> bool:
        """What soundfile asks before it seeks."""
        return False


def _sndfile_blocks(sound_file: soundfile.SoundFile) -> Iterator[Samples]:
    # Not SoundFile.blocks: where a stream ends early that yields memory nobody wrote to.
    left = sound_file.frames
    while True:
        samples = min(max(left * sound_file.channels, _MIN_BLOCK_SAMPLES), BLOCK_SAMPLES)
        frames = max(1, samples // sound_file.channels)
        block = sound_file.read(frames, dtype="float32", always_2d=True)
        if block.shape[0] == 0:
            return
        left -= block.shape[0]
        yield to_mono(block)


def _open_ffmpeg(file: NamelessFile) -> InputContainer:
    """A media container; UnreadableAudioError if it is none that is known here."""
    file.seek(0)
    try:
        return av.open(
            file,
            mode="r",
            metadata_errors="ignore",
            options={"format_whitelist": _FFMPEG_CONTAINERS},
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
    if not container.format.name.startswith(_FFMPEG_STATES_DURATION):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1
    return container.duration / av.time_base if alone and container.duration else None


def _ffmpeg_blocks(container: InputContainer, stream: AudioStream) -> Iterator[Samples]:
    resampler = av.AudioResampler(format="fltp", rate=int(stream.rate))
    for frame in container.decode(stream):
        for converted in resampler.resample(frame):
            yield to_mono(converted.to_ndarray().T)
    for converted in resampler.resample(None):
        yield to_mono(converted.to_ndarray().T)


def to_mono(block: npt.NDArray[Any]) -> Samples:
    """(samples, channels) float32 -> (samples,) float32, the mean of the channels."""
    if block.shape[1] == 1:
        return np.ascontiguousarray(block[:, 0], dtype=np.float32)
    mono: Samples = block.mean(axis=1, dtype=np.float32)
    return mono
