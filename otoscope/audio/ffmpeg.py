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
from typing import Protocol

import av
import av.error
import numpy as np
import numpy.typing as npt
from av import AudioFrame, Packet
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from otoscope.audio.channel_layouts import ReadableFile, WithoutLayouts
from otoscope.audio.mixing import CANCELLED, Gathering, Mixer, unheard
from otoscope.audio.parts import (
    AUDIO_KINDS,
    THE_USUAL,
    Block,
    Choice,
    Format,
    Opened,
    Remark,
)
from otoscope.audio.timeline import LONGEST_S, Timeline, tagged_s
from otoscope.errors import ChannelError, UnreadableAudioError

_CONTAINERS = (
    "mov,matroska,aac,ac3,eac3,aiff,amr,asf,au,avi,caf,flac,flv,loas,mp3,mpegts,ogg,w64,wav"
)
_STATES_DURATION = ("mov", "matroska")
"""Containers whose header gives the length. FFmpeg estimates it from the bit rate in others."""

_TOO_MANY_PLANES = 8

_STREAM_READ_BYTES = 4096

_SILENT_SAMPLES = 2**16
"""In one block of silence."""


_STREAM_CONTAINERS = "matroska,ogg"
"""Containers that can be decoded as a stream: MediaRecorder's."""

_STREAM_OPTIONS = {"probesize": "65536"}
"""Don't read ahead to find streams, as for files: the header is enough."""


class ReadableStream(Protocol):
    """A file that is not complete yet and can't seek."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, as soon as there are any; none at the end."""


def decode(file: ReadableFile, choice: Choice = THE_USUAL) -> Iterator[Opened | Block | Remark]:
    """What is known of the file, then its blocks, with silence where its clock leaps ahead.

    Raises:
        UnreadableAudioError: if it is no media file that is known here, or holds no audio.
        ChannelError: if it lacks the track or channel.
        Whatever PyAV raises at damage: FFmpegError, ValueError and others.
    """
    with _open(file) as container:
        yield from _decode(container, choice, Gathering())


def decode_stream(source: ReadableStream) -> Iterator[Opened | Block | Remark]:
    """`decode` of a WebM or Ogg stream; blocks are yielded as soon as their bytes are read."""
    try:
        container = av.open(
            source,
            mode="r",
            metadata_errors="ignore",
            options={"format_whitelist": _STREAM_CONTAINERS, **_STREAM_OPTIONS},
            buffer_size=_STREAM_READ_BYTES,
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise UnreadableAudioError(
            "expected a stream of webm or ogg, as a browser's MediaRecorder sends it, got other "
            "bytes, or too few"
        ) from error
    with container:
        yield from _decode(container, THE_USUAL, Gathering(0.0))


def _decode(
    container: InputContainer, choice: Choice, gathering: Gathering
) -> Iterator[Opened | Block | Remark]:
    stream, said = _audio_stream(container, choice.track)
    codec, rate_hz = stream.codec_context, int(stream.rate)
    described = Format(container.format.name, codec.name, rate_hz, codec.channels)
    origin_s = (container.start_time or 0) / av.time_base
    tracks = len(container.streams.audio)
    yield Opened(described, _announced_s(container, stream, origin_s), tracks)
    if choice.opened_only:
        return
    mixer, damage = Mixer(choice), _Damage()
    timeline = Timeline(container.format.name, origin_s)
    for samples, rate_hz in _placed(_frames(container, stream, damage), timeline, gathering):
        yield Block(mixer.mix(samples), rate_hz, samples.shape[1])
    lost = "the file's clock leaps ahead by more than an hour: it was not followed"
    said += (*damage.said(), *[CANCELLED] * mixer.cancelled, *[lost] * timeline.lost)
    yield from map(Remark, said)


def _placed(
    frames: Iterator[AudioFrame], timeline: Timeline, gathering: Gathering
) -> Iterator[tuple[npt.NDArray[np.float32], int]]:
    """Frames put together, (samples, channels) each with its rate, and silence between them."""
    try:
        for frame in frames:
            samples = _samples(frame)
            rate_hz = frame.sample_rate
            silence_s = timeline.place(_time_s(frame), samples.shape[0] / rate_hz)
            if silence_s:
                yield from gathering.flush()
                yield from _silence(silence_s, rate_hz, samples.shape[1])
            yield from gathering.add(samples, rate_hz)
    except Exception:  # what was decoded before stands
        yield from gathering.flush()
        raise
    yield from gathering.flush()


class _Damage:
    """Packets that can't be decoded, between others that can, and streams that come late."""

    def __init__(self) -> None:
        self.packets = 0
        self.late_streams = False

    def said(self) -> Iterator[str]:
        if self.packets:
            yield f"the file is damaged: {self.packets} of its packets could not be decoded"
        if self.late_streams:
            yield "a stream that begins in the middle of the file was left out"


def _frames(
    container: InputContainer, stream: AudioStream, damage: _Damage
) -> Iterator[AudioFrame]:
    """Of a track; what can't be decoded at its end is an error, before it is damage."""
    failed: list[av.error.FFmpegError] = []
    for packet in _packets(container, stream, damage):
        try:
            frames = stream.decode(packet)
        except av.error.EOFError:  # it was told that there is no more
            break
        except av.error.FFmpegError as error:
            failed.append(error)
            continue
        for frame in frames:
            if frame.samples and frame.sample_rate > 0:
                damage.packets += len(failed)
                failed.clear()
                yield frame
    if failed:
        raise failed[0]


def _packets(
    container: InputContainer, stream: AudioStream, damage: _Damage
) -> Iterator["Packet[AudioStream]"]:
    while True:
        try:
            yield from container.demux(stream)
        except IndexError:  # PyAV's, where a stream appears midway; the next packets can be read
            damage.late_streams = True
            continue
        return


@unheard
def _samples(frame: AudioFrame) -> npt.NDArray[np.float32]:
    """(samples, channels) float32, within [-1, 1] as a rule."""
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels >= _TOO_MANY_PLANES:
        # PyAV walks past the end of so many planes; packed, the samples lie in one.
        [frame] = av.AudioResampler(format="flt", rate=frame.sample_rate).resample(frame)
    raw = frame.to_ndarray()
    samples = raw.T if frame.format.is_planar else raw.reshape(-1, channels)
    if samples.dtype.kind == "f":
        return samples.astype(np.float32, copy=False)
    middle = 128 if samples.dtype.kind == "u" else 0
    return (samples.astype(np.float32) - middle) / np.float32(2.0 ** (8 * raw.itemsize - 1))


def _time_s(frame: "AudioFrame | Packet[AudioStream]") -> float | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)


def _silence(
    length_s: float, rate_hz: int, channels: int
) -> Iterator[tuple[npt.NDArray[np.float32], int]]:
    left = round(length_s * rate_hz)
    while left > 0:
        yield np.zeros((min(left, _SILENT_SAMPLES), channels), dtype=np.float32), rate_hz
        left -= _SILENT_SAMPLES


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
    try:
        return av.open(
            WithoutLayouts(file),
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


def _audio_stream(container: InputContainer, track: int) -> tuple[AudioStream, tuple[str, ...]]:
    """The track asked for, or that a player would choose, and what there is to say about it.

    Raises:
        UnreadableAudioError: if there is none, or none that can be decoded.
        ChannelError: if the track asked for is not there.
    """
    tracks = container.streams.audio
    if not tracks:
        raise UnreadableAudioError(
            "expected a file with an audio stream, got one with "
            f"{len(container.streams.video)} video stream(s) and no audio"
        )
    if track > len(tracks):
        raise ChannelError(f"expected a track up to {len(tracks)}, got {track}")
    usable = [each for each in tracks if each.codec_context is not None and each.rate]
    wanted = [each for each in usable if not track or each is tracks[track - 1]]
    if not wanted:
        raise UnreadableAudioError(
            "expected an audio stream with a known codec and sample rate, got one without"
        )
    flagged = [each for each in wanted if each.disposition & Disposition.default]
    chosen = (flagged or wanted)[0]
    if track or len(tracks) == 1:
        return chosen, ()
    unknown = len(tracks) - len(usable)
    number = [each.index for each in tracks].index(chosen.index) + 1
    undecodable = f"; {unknown} can't be decoded" if unknown else ""
    return chosen, (f"one of {len(tracks)} audio tracks was read, number {number}{undecodable}",)


def _announced_s(container: InputContainer, stream: AudioStream, origin_s: float) -> float | None:
    """Where the container's header says that `stream` ends; None if it doesn't, or nonsense."""
    end_s = _end_s(container, stream, origin_s)
    return end_s if end_s is not None and 0 <= end_s <= LONGEST_S else None


def _end_s(container: InputContainer, stream: AudioStream, origin_s: float) -> float | None:
    if not container.format.name.startswith(_STATES_DURATION):
        return None
    tagged = tagged_s(stream.metadata.get("DURATION", ""))
    if tagged is not None:  # Matroska's, by muxers that know it
        return tagged - origin_s
    if stream.duration is not None and stream.time_base is not None:
        start = stream.start_time or 0
        return float((start + stream.duration) * stream.time_base) - origin_s
    alone = len(container.streams) == 1
    return container.duration / av.time_base if alone and container.duration else None
