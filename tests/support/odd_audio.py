"""Files that make trouble: no audio at all, odd audio, and headers that lie.

Each is made by a function of the fixture `sounds`, so that a module which imports this makes none.
"""

import io
import struct
import zlib
from fractions import Fraction

import av
import numpy as np
from audio_files import video_without_audio

RATE_HZ = 16000
FORMATS = "expected audio (wav, flac, ogg, opus, mp3, m4a, mp4, aac or webm)"


def header(rate_hz=RATE_HZ, channels=1, bits=16):
    """A second's bytes of wav behind a header that claims what is asked for."""
    data = bytes(2 * RATE_HZ)
    frame_bytes = channels * bits // 8
    fields = (16, 1, channels, rate_hz, min(rate_hz * frame_bytes, 2**32 - 1), frame_bytes, bits)
    form = b"fmt " + struct.pack("<IHHIIHH", *fields)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVE"
        + form
        + (b"data" + struct.pack("<I", len(data)) + data)
    )


def with_sample(sounds, value):
    samples = sounds.noise(1)
    samples[100] = value
    return sounds.write(samples, subtype="FLOAT")


def png():
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


UNUSABLE = {
    "empty": (lambda _: b"", 422, "audio-empty", "expected an audio file, got 0 bytes"),
    "no samples": (
        lambda s: s.write(np.zeros((0, 1))),
        *(422, "audio-empty", "expected audio, got a stream without samples"),
    ),
    "one sample": (
        lambda s: s.write(np.full((1, 1), 0.5)),
        *(422, "audio-too-short"),
        "expected at least 400 samples at 16000 Hz (25 ms), got 1 (0.1 ms)",
    ),
    "NaN": (
        lambda s: with_sample(s, np.nan),
        *(422, "audio-non-finite", "expected finite samples, got nan, the first at sample 100"),
    ),
    "infinity": (
        lambda s: with_sample(s, -np.inf),
        *(422, "audio-non-finite", "expected finite samples, got -inf, the first at sample 100"),
    ),
    "text": (
        lambda _: b"To be, or not to be.\n" * 50,
        *(415, "audio-unreadable", f"{FORMATS}, got 1050 bytes in no format known here"),
    ),
    "picture": (
        lambda _: png(),
        *(415, "audio-unreadable", f"{FORMATS}, got {len(png())} bytes in no format known here"),
    ),
    "video": (
        lambda _: video_without_audio(),
        *(415, "audio-unreadable"),
        "expected a file with an audio stream, got one with 1 video stream(s) and no audio",
    ),
    "four bytes of a wav": (
        lambda s: s.write(s.noise(1))[:4],
        *(415, "audio-unreadable", f"{FORMATS}, got 4 bytes in no format known here"),
    ),
    "a rate of 1 Hz": (
        lambda _: header(rate_hz=1),
        *(422, "audio-rate", "expected a sample rate of at least 1000 Hz, got 1 Hz"),
    ),
    "an m4a without its index": (
        lambda s: s.m4a(s.noise(1, channels=2), RATE_HZ)[:3000],
        *(415, "audio-unreadable"),
        f"{FORMATS}, got 3000 bytes of an mp4 or m4a whose index (moov) is missing or incomplete",
    ),
}


def claims_49_days(sounds):
    """A second of FLAC whose STREAMINFO claims 2^36 - 1 samples."""
    data = bytearray(sounds.write(sounds.noise(1), file_format="FLAC"))
    data[21:26] = bytes([data[21] | 0x0F]) + b"\xff" * 4
    return bytes(data)


def claims_1_gb(sounds):
    """A second of wav whose header claims 9 hours; as much as 32 bits can say means a pipe."""
    data = bytearray(sounds.write(sounds.noise(1)))
    assert (data[:4], data[36:40]) == (b"RIFF", b"data")
    data[4:8], data[40:44] = struct.pack("<I", 2**30 + 36), struct.pack("<I", 2**30)
    return bytes(data)


USABLE = {
    "silence": (lambda s: s.write(np.zeros((2 * RATE_HZ, 1))), 2.0, ""),
    "8 bits": (lambda s: s.write(s.noise(1), subtype="PCM_U8"), 1.0, ""),
    "192 kHz": (lambda s: s.write(s.noise(1, 192000), 192000), 1.0, ""),
    "200 channels": (lambda s: s.write(s.noise(1, channels=200)), 1.0, ""),
    "cut short": (
        lambda s: s.write(s.noise(4))[: 44 + 2 * RATE_HZ],
        *(1.0, "the file is truncated or damaged: 1.00 s could be decoded"),
    ),
    "a header that claims 49 days": (
        claims_49_days,
        *(1.0, "the file is truncated or damaged: 1.00 s of 4294967.30 s could be decoded"),
    ),
    "a header that claims 1 GB": (
        claims_1_gb,
        *(1.0, "the file is truncated or damaged: 1.00 s could be decoded"),
    ),
}


IMPOSSIBLE = {
    "no channels": header(channels=0),
    "65535 channels of 1 bit": header(channels=65535, bits=1),
    "no rate": header(rate_hz=0),
    "4 GHz": header(rate_hz=2**32 - 1),
    "no bits": header(bits=0),
    "255 bits": header(bits=255),
}
"""Headers that claim what no decoder believes."""


def hours_of_silence(hours):
    """An Opus file of packets that hold six times 20 ms of nothing (RFC 6716, section 3.2.5)."""
    nothing = bytes([31 << 3 | 3, 6])
    file = io.BytesIO()
    options = {"page_duration": "30000000"}  # microseconds
    with av.open(file, "w", format="ogg", options=options) as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        for number in range(round(hours * 3600 / 0.12)):
            packet = av.Packet(nothing)
            packet.stream, packet.time_base = stream, Fraction(1, 48000)
            packet.pts = packet.dts = 5760 * number
            packet.duration = 5760
            container.mux(packet)
    return file.getvalue()
