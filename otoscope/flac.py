"""Plain FLAC files of ordinary length by dr_flac, where the package miniaudio is installed.

libsndfile decodes the same samples, bit for bit, in one and a half times the time. It stays in
charge of all else: long files, damaged ones, those whose header does not say how long they are.
"""

import os
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

try:
    import miniaudio
except ModuleNotFoundError:  # it has no wheels for some processors
    miniaudio = None

_HEADER_BYTES = 42
"""The magic number and the first block of metadata, which describes the stream."""

_MOST_BYTES = 2**24
_MOST_SAMPLES = 2**22
"""Of all channels: 4 minutes of mono at 16 kHz, in 16 MB."""

_MOST_BITS = 24
"""A float32 holds so many exactly."""


class Plain(NamedTuple):
    """A whole file.

    Attributes:
        samples: (samples, channels) float32 in [-1, 1].
        rate_hz: of the file.
    """

    samples: npt.NDArray[np.float32]
    rate_hz: int


class Readable(Protocol):
    """A file that is open for reading and seeking."""

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes, or all that are left."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place; its distance from the start."""


def read_plain(file: Readable) -> Plain | None:
    """Decode `file` from its start; None if that is left to libsndfile."""
    if miniaudio is None:
        return None
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    header = file.read(_HEADER_BYTES)
    if not header.startswith(b"fLaC") or len(header) < _HEADER_BYTES or size > _MOST_BYTES:
        return None
    # RFC 9639, section 8.2: 20 bits of rate, 3 of channels, 5 of bits a sample, 36 of length.
    facts = int.from_bytes(header[18:26], "big")
    channels, bits = (facts >> 41 & 0x7) + 1, (facts >> 36 & 0x1F) + 1
    frames, rate_hz = facts & 0xFFFFFFFFF, facts >> 44
    if not 0 < frames * channels <= _MOST_SAMPLES or bits > _MOST_BITS:
        return None
    try:
        decoded = miniaudio.flac_read_f32(header + file.read())
    except miniaudio.DecodeError:
        return None
    samples = np.frombuffer(decoded.samples, dtype=np.float32)
    if samples.size != frames * channels:  # a damaged frame is left out
        return None
    return Plain(samples.reshape(frames, channels), rate_hz)
