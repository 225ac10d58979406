"""What the header of a wav says of its length, and what is there.

libsndfile takes the length of a cut wav from what is there, so the decoded length says nothing.
"""

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

_RIFF_HEADER_BYTES = 12
_CHUNK_HEADER_BYTES = 8
_FORMAT_BYTES = 16
_MOST_CHUNKS = 1000
"""Before the samples or behind them; there are a few as a rule."""

_FILES = (b"RIFF", b"RF64", b"BW64")

_UNKNOWN = (
    range(0x7EFF0000, 0x7F010000),
    range(0x7FFF0000, 0x80010000),
    range(0xFFFF0000, 2**32),
)
"""What programs write to a pipe for a size they don't know yet: the most that there can be, some
less their header, and a round number of SoX's. RF64 means another field by the last."""


@dataclass(frozen=True)
class WavFacts:
    """A wav's length.

    Attributes:
        missing_s: so much less than its header says is there; infinite where the header is cut.
        unfinished: whether the header gives no size, and samples follow.
        unknown: whether it says that it is of no known size, as for a pipe.
        behind_s: so much, counted as samples, lies behind their end and is no chunk.
    """

    missing_s: float = 0.0
    unfinished: bool = False
    unknown: bool = False
    behind_s: float = 0.0


def wav_facts(file: BinaryIO) -> WavFacts | None:
    """Look at a file that is open for reading and seeking; None if it is no wav."""
    file.seek(0)
    head = file.read(_RIFF_HEADER_BYTES)
    if head[:4] not in _FILES or head[8:] != b"WAVE":
        return None
    end, at = file.seek(0, os.SEEK_END), _RIFF_HEADER_BYTES
    bytes_per_s, long_size = 0, 0
    for _ in range(_MOST_CHUNKS):
        if at + _CHUNK_HEADER_BYTES > end:
            return WavFacts(missing_s=float("inf"))
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(_CHUNK_HEADER_BYTES))
        at += _CHUNK_HEADER_BYTES
        if name == b"data":
            size = long_size if head[:4] != b"RIFF" and size == 2**32 - 1 else size
            behind = end - max(_end_of_chunks(file, at + size + pad, end) for pad in (0, size % 2))
            return _length(size, end - at, bytes_per_s, behind)
        if name == b"fmt ":
            bytes_per_s = _bytes_per_s(file.read(_FORMAT_BYTES))
        elif name == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
        at += size + size % 2
    return WavFacts()


def _length(stated: int, there: int, bytes_per_s: int, behind: int) -> WavFacts:
    """Of so many bytes, of which so many are there and behind all chunks, below 0 for padding."""
    if stated == 0:
        return WavFacts(unfinished=behind > 0)
    if there < stated and of_no_known_size(stated):
        return WavFacts(unknown=True)
    missing, behind = max(0, stated - there), max(0, behind)
    return WavFacts(missing / max(1, bytes_per_s), behind_s=behind / max(1, bytes_per_s))


def _bytes_per_s(fmt: bytes) -> int:
    """Of the samples; the header's own figure is wrong in some files of plain samples."""
    if len(fmt) < _FORMAT_BYTES:
        return 0
    code, _, rate_hz, bytes_per_s, frame_bytes, bits = struct.unpack("<HHIIHH", fmt)
    plain = code in (1, 3, 0xFFFE) and bits >= 8  # noqa: PLR2004 - PCM, float, extensible
    return int(rate_hz * frame_bytes if plain and frame_bytes else bytes_per_s)


def _end_of_chunks(file: BinaryIO, at: int, end: int) -> int:
    """Up to where chunks lie behind one another, from `at` on; another file is no chunk."""
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(_CHUNK_HEADER_BYTES)
        if len(head) < _CHUNK_HEADER_BYTES:
            break
        name, size = struct.unpack("<4sI", head)
        if name in _FILES or not (name.isascii() and name.decode("ascii").isprintable()):
            break
        if at + _CHUNK_HEADER_BYTES + size > end:
            break
        at += _CHUNK_HEADER_BYTES + size + size % 2
    else:  # too many to look at
        return end
    return at


def of_no_known_size(stated: int) -> bool:
    """Whether programs write this where they don't know how much is to come."""
    return any(stated in sizes for sizes in _UNKNOWN)
