"""Bytes or a path -> a mono waveform at one sample rate: the only decoder and the only resampler.

libsndfile (through soundfile) reads wav, flac, ogg, opus and mp3; what it does not know (m4a, mp4,
aac, webm) goes to FFmpeg's libraries through PyAV. Both ship inside their wheels. Decoding runs
block by block, so a small file that claims or holds many hours stops at the limit instead of
filling the memory. FFmpeg may open media containers only: no playlist that names other files.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from av.audio.stream import AudioStream
from av.container import InputContainer

from otoscope.errors import (
    AudioTooLongError,
    AudioTooShortError,
    EmptyAudioError,
    NonFiniteAudioError,
    UnreadableAudioError,
)
from otoscope.truncation import breaks_off

Samples = npt.NDArray[np.float32]

DEFAULT_MAX_DURATION_S = 1200.0
"""Longest audio decoded unless the caller says otherwise: 20 minutes in one piece."""

_BLOCK_FRAMES = 4096
"""Samples per channel decoded at once. A block in which libsndfile fails is lost: keep it short."""

_HEADER_SLACK_S = 0.1
"""A stream shorter than its header says by more than this is truncated. An mp3 frame is 72 ms."""

_FRAMES_UNKNOWN = 2**62
"""libsndfile announces at least so many frames where it can't know the length."""

_FFMPEG_CONTAINERS = (
    "mov,matroska,aac,ac3,aiff,amr,asf,au,avi,caf,flac,flv,loas,mp3,mpegts,ogg,w64,wav"
)
_FFMPEG_STATES_DURATION = ("mov", "matroska")
"""Containers whose header gives the length. FFmpeg estimates it from the bit rate in others."""


@dataclass(frozen=True)
class Waveform:
    """Mono audio and what there was to say about reading it."""

    samples: Samples  # (samples,) float32 in [-1, 1]
    sample_rate_hz: int
    warnings: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples.size / self.sample_rate_hz


@dataclass(frozen=True)
class _Decoded:
    """Mono samples as decoded, before resampling.

    Attributes:
        announced_s: how long the header says they are; None if it doesn't.
        failure: why decoding stopped before the end; None if it didn't.
    """

    samples: Samples  # (samples,) float32
    sample_rate_hz: int
    announced_s: float | None
    failure: str | None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples.size / self.sample_rate_hz

    @property
    def falls_short(self) -> bool:
        """Whether it is less than the file promised."""
        announced_s = self.announced_s or 0.0
        return self.failure is not None or self.duration_s < announced_s - _HEADER_SLACK_S


def load(
    source: bytes | str | Path,
    sample_rate_hz: int,
    *,
    max_duration_s: float = DEFAULT_MAX_DURATION_S,
    min_samples: int = 1,
) -> Waveform:
    """Decode `source`, mix its channels to mono and resample it to `sample_rate_hz`.

    Args:
        source: the file's bytes, or its path.
        sample_rate_hz: the rate wanted, a model's `spec.features.sample_rate_hz`.
        max_duration_s: decoding stops with an error beyond this many seconds.
        min_samples: the fewest samples accepted at `sample_rate_hz`, a model's window length.

    Returns:
        float32 samples in [-1, 1], louder ones clipped. A file that breaks off is decoded as far as
        it goes, and `warnings` says so where the file can tell: wav, flac, ogg, mp3 with a Xing or
        Info header, mp4, m4a and webm with a length, aac cut within a frame. An mp3 without that
        header has no end to miss: cut, it is a shorter mp3. An mp4 or m4a whose index stands last
        can't be decoded once cut.

    Raises:
        EmptyAudioError, UnreadableAudioError, AudioTooShortError, AudioTooLongError,
        NonFiniteAudioError: with what was expected and what came.
        FileNotFoundError: if a path does not exist.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    if not data:
        raise EmptyAudioError("expected an audio file, got 0 bytes")
    decoded = _decode(data, max_duration_s)
    if decoded.samples.size == 0:
        if decoded.failure is not None:
            raise UnreadableAudioError(f"the audio can't be decoded: {decoded.failure}")
        raise EmptyAudioError("expected audio, got a stream without samples")
    check_finite(decoded.samples)
    samples = resample(decoded.samples, decoded.sample_rate_hz, sample_rate_hz)
    if samples.size < min_samples:
        raise AudioTooShortError(
            f"expected at least {min_samples} samples at {sample_rate_hz} Hz "
            f"({1000 * min_samples / sample_rate_hz:.0f} ms), got {samples.size} "
            f"({1000 * samples.size / sample_rate_hz:.1f} ms)"
        )
    truncated = decoded.falls_short or breaks_off(data)
    return Waveform(samples, sample_rate_hz, (_truncation_warning(decoded),) if truncated else ())


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Change the rate of mono `samples` (samples,) float32 with soxr's high quality setting.

    What lies outside [-1, 1] before or after is clipped.
    """
    if from_hz != to_hz:
        samples = soxr.resample(samples, from_hz, to_hz).astype(np.float32, copy=False)
    return np.clip(samples, -1.0, 1.0)


def check_finite(samples: Samples) -> None:
    """Raise NonFiniteAudioError if any of `samples` is NaN or infinite."""
    finite = np.isfinite(samples)
    if not finite.all():
        first = int(np.argmin(finite))
        raise NonFiniteAudioError(
            f"expected finite samples, got {int((~finite).sum())} NaN or infinite ones, "
            f"the first at sample {first}"
        )


def _decode(data: bytes, max_duration_s: float) -> _Decoded:
    try:
        sound_file = _OneWaySoundFile(io.BytesIO(data))
    except soundfile.LibsndfileError:
        return _decode_with_ffmpeg(data, max_duration_s)
    with sound_file:
        rate_hz = sound_file.samplerate
        known = sound_file.frames < _FRAMES_UNKNOWN
        announced_s = sound_file.frames / rate_hz if known else None
        decoded = _drain(_sndfile_blocks(sound_file), rate_hz, announced_s, max_duration_s)
    if decoded.failure is None:
        return decoded
    # libsndfile gives up on some whole Opus files and at the first damage; FFmpeg goes on.
    try:
        other = _decode_with_ffmpeg(data, max_duration_s)
    except UnreadableAudioError:
        return decoded
    if other.duration_s <= decoded.duration_s:
        return decoded
    return replace(other, announced_s=announced_s)


class _OneWaySoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file read from start to end: soundfile seeks after each read of others, at a price."""

    def seekable(self) -> bool:
        return False


def _sndfile_blocks(sound_file: soundfile.SoundFile) -> Iterator[Samples]:
    # Not SoundFile.blocks: where a stream ends early that yields memory nobody wrote to.
    while True:
        block = sound_file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
        if block.shape[0] == 0:
            return
        yield _to_mono(block)


def _decode_with_ffmpeg(data: bytes, max_duration_s: float) -> _Decoded:
    try:
        container = av.open(
            io.BytesIO(data),
            mode="r",
            metadata_errors="ignore",
            options={"format_whitelist": _FFMPEG_CONTAINERS},
        )
    except (av.error.FFmpegError, ValueError) as error:
        what = "in no format known here"
        if data[4:8] == b"ftyp":
            what = "of an mp4 or m4a whose index (moov) is missing or incomplete"
        raise UnreadableAudioError(
            "expected audio (wav, flac, ogg, opus, mp3, m4a, mp4, aac or webm), "
            f"got {len(data)} bytes {what}"
        ) from error
    with container:
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
        rate_hz = int(stream.rate)
        announced_s = _announced_s(container, stream)
        return _drain(_ffmpeg_blocks(container, stream), rate_hz, announced_s, max_duration_s)


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
            yield _to_mono(converted.to_ndarray().T)
    for converted in resampler.resample(None):
        yield _to_mono(converted.to_ndarray().T)


def _drain(
    source: Iterator[Samples], rate_hz: int, announced_s: float | None, max_duration_s: float
) -> _Decoded:
    """Take mono blocks until the stream ends, its decoder fails or the limit is exceeded."""
    blocks: list[Samples] = []
    budget = _SampleBudget(rate_hz, max_duration_s)
    failure = None
    try:
        for block in source:
            budget.take(block.shape[0])
            blocks.append(block)
    except (soundfile.LibsndfileError, av.error.FFmpegError, ValueError) as error:
        failure = str(error)
    samples = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
    return _Decoded(samples, rate_hz, announced_s, failure)


class _SampleBudget:
    """Counts samples taken at one rate and refuses those beyond a duration."""

    def __init__(self, rate_hz: int, max_duration_s: float) -> None:
        self.taken = 0
        self._limit = max_duration_s * rate_hz
        self._max_duration_s = max_duration_s

    def take(self, samples: int) -> None:
        self.taken += samples
        if self.taken > self._limit:
            raise AudioTooLongError(
                f"expected at most {self._max_duration_s:g} s of audio, got more"
            )


def _to_mono(block: npt.NDArray[Any]) -> Samples:
    """(samples, channels) float32 -> (samples,) float32, the mean of the channels."""
    if block.shape[1] == 1:
        return np.ascontiguousarray(block[:, 0], dtype=np.float32)
    mono: Samples = block.mean(axis=1, dtype=np.float32)
    return mono


def _truncation_warning(decoded: _Decoded) -> str:
    announced_s = decoded.announced_s
    more = announced_s is not None and announced_s > decoded.duration_s
    of = f" of {announced_s:.2f} s" if more else ""
    return f"the file is truncated or damaged: {decoded.duration_s:.2f} s{of} could be decoded"
