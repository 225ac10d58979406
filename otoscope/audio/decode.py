"""An audio file -> mono blocks at its own rate: the only decoder.

Plain flac goes to dr_flac (`otoscope.flac`), where that is installed. libsndfile (through
soundfile) reads wav, flac, ogg, opus and mp3; what it does not know (m4a, mp4, aac, webm) goes to
FFmpeg's libraries through PyAV. All ship inside their wheels. Decoding runs block by block, so a
small file that claims or holds many hours stops at the limit instead of filling the memory. FFmpeg
may open media containers only: no playlist that names other files.
"""

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import av
import av.error
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.stream import AudioStream
from av.container import InputContainer

from otoscope.errors import AudioRateError, AudioTooLongError, UnreadableAudioError
from otoscope.flac import read_plain

Samples = npt.NDArray[np.float32]
Source: TypeAlias = bytes | str | Path | BinaryIO
"""A file's bytes, its path, or the file itself, open for reading and seeking."""

BLOCK_SAMPLES = 2**17
"""Samples of all channels decoded at once, at most: 8 s of mono at 16 kHz, in 512 kB. Threads that
decode side by side get into one another's way at each block; what libsndfile fails in, FFmpeg
decodes again."""

_PROBE_SAMPLES = 2**13
"""Asked for beyond the length in the header, lest it is too short."""

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


class Unnamed:
    """A file without its name, whose suffix must not decide how it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


class Decoder:
    """The blocks of one file, to be iterated over once.

    Attributes:
        duration_s: seconds decoded so far.
        announced_s: how long the header says they are; None if it doesn't.
        failure: why decoding stopped before the end; None if it didn't.
    """

    def __init__(self, file: BinaryIO, max_duration_s: float) -> None:
        self.duration_s = 0.0
        self.announced_s: float | None = None
        self.failure: str | None = None
        self._file = Unnamed(file)
        self._max_duration_s = max_duration_s

    @property
    def falls_short(self) -> bool:
        """Whether it is less than the file promised."""
        announced_s = self.announced_s or 0.0
        return self.failure is not None or self.duration_s < announced_s - _HEADER_SLACK_S

    def __iter__(self) -> Iterator[Block]:
        """Decode.

        Raises:
            UnreadableAudioError: if no decoder knows the file.
            AudioRateError: if its sample rate is below MIN_RATE_HZ.
            AudioTooLongError: beyond the limit.
        """
        plain = read_plain(self._file)
        if plain is not None:
            self.announced_s = plain.samples.shape[0] / plain.rate_hz
            yield from self._take(iter([to_mono(plain.samples)]), plain.rate_hz)
            return
        self._file.seek(0)
        try:
            sound_file = OneWaySoundFile(self._file)
        except soundfile.LibsndfileError:
            yield from self._ffmpeg()
            return
        with sound_file:
            known = sound_file.frames < _FRAMES_UNKNOWN
            self.announced_s = sound_file.frames / sound_file.samplerate if known else None
            yield from self._take(_sndfile_blocks(sound_file), sound_file.samplerate)
        if self.failure is not None:
            yield from self._go_on()

    def _go_on(self) -> Iterator[Block]:
        """FFmpeg's blocks of what follows.

        libsndfile gives up on some whole Opus files, and at the first damage.
        """
        announced_s, failure, reached_s = self.announced_s, self.failure, self.duration_s
        try:
            yield from self._ffmpeg()
        except UnreadableAudioError:
            self.failure = failure
        if self.duration_s <= reached_s:
            self.failure = failure
        self.announced_s = announced_s

    def _ffmpeg(self) -> Iterator[Block]:
        """FFmpeg's blocks from `duration_s` on."""
        with open_ffmpeg(self._file) as container:
            stream = audio_stream(container)
            self.announced_s = _announced_s(container, stream)
            yield from self._take(_ffmpeg_blocks(container, stream), int(stream.rate))

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


def open_source(source: Source) -> AbstractContextManager[BinaryIO]:
    """`source` as a file; one that was open stays open."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, str | Path):
        return Path(source).open("rb")
    return nullcontext(source)


def size_bytes(file: BinaryIO | Unnamed) -> int:
    """Length of an open file."""
    return file.seek(0, os.SEEK_END)


class OneWaySoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file read from start to end: soundfile seeks after each read of others, at a price."""

    def seekable(self) -> bool:
        """What soundfile asks before it seeks."""
        return False


def _sndfile_blocks(sound_file: soundfile.SoundFile) -> Iterator[Samples]:
    # Not SoundFile.blocks: where a stream ends early that yields memory nobody wrote to.
    left = sound_file.frames
    while True:
        samples = min(max(left * sound_file.channels, _PROBE_SAMPLES), BLOCK_SAMPLES)
        frames = max(1, samples // sound_file.channels)
        block = sound_file.read(frames, dtype="float32", always_2d=True)
        if block.shape[0] == 0:
            return
        left -= block.shape[0]
        yield to_mono(block)


def open_ffmpeg(file: Unnamed) -> InputContainer:
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
            "expected audio (wav, flac, ogg, opus, mp3, m4a, mp4, aac or webm), "
            f"got {size_bytes(file)} bytes {what}"
        ) from error


def audio_stream(container: InputContainer) -> AudioStream:
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
