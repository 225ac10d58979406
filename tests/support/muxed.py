"""Media files with a clock: tracks that begin late, pause, or lie beside others."""

import io
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

_VIDEO = {"webm": "libvpx", "mpegts": "mpeg2video", "flv": "flv"}
_PICTURES_PER_S = 25


@dataclass
class Track:
    """Sound of a file.

    Attributes:
        samples: (samples,) or (samples, channels) float32.
        rate_hz: that the codec gets them at.
        codec: FFmpeg's name.
        start_s: when it begins.
        pauses: (s of its own sound before, s of pause) of each.
        default: whether a player should choose it.
        options: of the encoder.
        spoiled: numbers of packets that hold nonsense.
        layout: where channels are, as FFmpeg calls it; by default nowhere, beyond two.
    """

    samples: npt.NDArray[np.float32]
    rate_hz: int = 48000
    codec: str = "aac"
    start_s: float = 0.0
    pauses: tuple[tuple[float, float], ...] = ()
    default: bool = False
    options: dict[str, str] = field(default_factory=dict)
    spoiled: tuple[int, ...] = ()
    layout: str | None = None


def mux(container_name, *tracks, video_s=0.0, options=None, begin_s=0.0) -> bytes:
    """The file's bytes; all of it begins at `begin_s` of its clock, as a part of a broadcast."""
    file = io.BytesIO()
    with av.open(file, "w", format=container_name, options=options or {}) as container:
        packets = []
        if video_s:
            packets += _video(container, container_name, video_s)
        for track in tracks:
            packets += _sound(container, track)
        for _, packet in sorted(packets, key=lambda each: each[0]):
            shift = round(Fraction(begin_s).limit_denominator(1000) / packet.time_base)
            packet.pts += shift
            packet.dts += shift
            container.mux(packet)
    return file.getvalue()


def mp3(samples, rate_hz, xing="1", **options) -> bytes:
    """An mp3 without tags, whose header tells its length or, with "0", does not."""
    track = Track(samples, rate_hz, "libmp3lame", options=options)
    return mux("mp3", track, options={"write_xing": xing, "id3v2_version": "0"})


def _video(container, container_name, video_s):
    codec = _VIDEO.get(container_name, "mpeg4")
    stream = container.add_stream(codec, rate=_PICTURES_PER_S)
    stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
    picture = np.full((32, 32, 3), 128, dtype=np.uint8)
    encoded = []
    for number in range(round(video_s * _PICTURES_PER_S)):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, _PICTURES_PER_S)
        encoded += stream.encode(frame)
    encoded += stream.encode(None)
    return [(float(each.pts * each.time_base), each) for each in encoded]


def _sound(container, track):
    samples = track.samples[:, None] if track.samples.ndim == 1 else track.samples
    channels = samples.shape[1]
    layout = track.layout or {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    stream = container.add_stream(track.codec, rate=track.rate_hz, layout=layout)
    stream.codec_context.options = track.options
    if track.default:
        stream.disposition = av.stream.Disposition.default
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = track.rate_hz, 0, Fraction(1, track.rate_hz)
    resampler = av.AudioResampler(
        format=stream.codec_context.format,
        layout=layout,
        rate=track.rate_hz,
        frame_size=stream.codec_context.frame_size or 1024,
    )
    encoded = []
    for each in (*resampler.resample(frame), *resampler.resample(None)):
        encoded += stream.encode(each)
    encoded += stream.encode(None)
    for number in track.spoiled:
        nonsense, was = av.Packet(b"\xff" * encoded[number].size), encoded[number]
        nonsense.stream, nonsense.time_base = stream, was.time_base
        nonsense.pts, nonsense.dts, nonsense.duration = was.pts, was.dts, was.duration
        encoded[number] = nonsense
    return [_moved(each, track) for each in encoded]


def _moved(packet, track):
    own_s = float(packet.pts * packet.time_base)
    later_s = track.start_s + sum(length for at, length in track.pauses if own_s >= at - 1e-6)
    shift = round(later_s / float(packet.time_base))
    packet.pts += shift
    packet.dts = packet.pts
    return own_s + later_s, packet
