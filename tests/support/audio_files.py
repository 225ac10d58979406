"""Audio files in memory, in every format that is read."""

import io

import av
import numpy as np
import numpy.typing as npt
import soundfile

SNDFILE_FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
FFMPEG_FORMATS = {
    "m4a": ("ipod", "aac"),
    "mp4": ("mp4", "aac"),
    "aac": ("adts", "aac"),
    "webm": ("webm", "libopus"),
}
FORMATS = (*SNDFILE_FORMATS, *FFMPEG_FORMATS)
FFMPEG_RATE_HZ = 48000


def encode(
    samples: npt.NDArray[np.float32],
    rate_hz: int,
    file_format: str,
    *,
    subtype: str | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """(samples,) or (samples, channels) float32 -> a file's bytes.

    Args:
        samples: what to write.
        rate_hz: its rate; the formats written by FFmpeg resample mono to 48 kHz.
        file_format: one of FORMATS.
        subtype: libsndfile's name of another encoding.
        options: FFmpeg's, of the container.
    """
    if file_format in FFMPEG_FORMATS:
        return _encode_with_ffmpeg(samples, rate_hz, *FFMPEG_FORMATS[file_format], options or {})
    container, usual = SNDFILE_FORMATS[file_format]
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", rate_hz, channels, subtype or usual, format=container
    ) as sound_file:
        for start in range(0, samples.shape[0], rate_hz):  # libsndfile's Vorbis hates long writes
            sound_file.write(samples[start : start + rate_hz])
    return file.getvalue()


def video_without_audio() -> bytes:
    """A second of grey mp4 video."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        picture = np.full((32, 32, 3), 128, dtype=np.uint8)
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def _encode_with_ffmpeg(samples, rate_hz, container_name, codec, options) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container_name, options=options) as container:
        stream = container.add_stream(codec, rate=FFMPEG_RATE_HZ)
        stream.layout = "mono"
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=FFMPEG_RATE_HZ,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples[None]), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts = rate_hz, 0
        for resampled in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return file.getvalue()
