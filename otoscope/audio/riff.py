"""What the header of a wav or its kin says of its length, and what is there.

libsndfile takes the length of a cut wav from what is there, so the decoded length says nothing.
"""

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

_RIFF_HEADER_BYTES = 12
_CHUNK_HEADER_BYTES = 8
_FORMAT_BYTES = 16
_UNKNOWN = (range(0x7FFF0000, 0x80010000), range(0xFFFF0000, 2**32))
"""What programs write to a pipe for a size they don't know yet: the most that there can be, some
less their header. RF64 means another field by the last."""


@dataclass(frozen=True)
class WavFacts:
    """A wav's length.

    Attributes:
        missing_s: so much less than its header says is there; infinite where the header is cut.
        unfinished: whether the header gives no size, and samples follow.
        unknown: whether it says that it is of no known size, as for a pipe.
    """

    missing_s: float = 0.0
    unfinished: bool = False
    unknown: bool = False


def wav_facts(file: BinaryIO) -> WavFacts | None:
    """Look at a file that is open for reading and seeking; None if it is no wav."""
    file.seek(0)
    head = file.read(_RIFF_HEADER_BYTES)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        return None
    end, at = file.seek(0, os.SEEK_END), _RIFF_HEADER_BYTES
    bytes_per_s, long_size = 0, 0
    while at + _CHUNK_HEADER_BYTES <= end:
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(_CHUNK_HEADER_BYTES))
        at += _CHUNK_HEADER_BYTES
        if name == b"data":
            size = long_size if head[:4] != b"RIFF" and size == 2**32 - 1 else size
            return _length(size, end - at, bytes_per_s, _finished(file, at, end))
        if name == b"fmt ":
            bytes_per_s = _bytes_per_s(file.read(_FORMAT_BYTES))
        elif name == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
        at += size + size % 2
    return WavFacts(missing_s=float("inf"))


def _length(stated: int, there: int, bytes_per_s: int, finished: bool) -> WavFacts:  # noqa: FBT001
    if stated == 0:
        return WavFacts(unfinished=not finished)
    if there < stated and any(stated in sizes for sizes in _UNKNOWN):
        return WavFacts(unknown=True)
    return WavFacts(missing_s=max(0, stated - there) / max(1, bytes_per_s))


def _bytes_per_s(fmt: bytes) -> int:
    """Of the samples; the header's own figure is wrong in some files of plain samples."""
    if len(fmt) < _FORMAT_BYTES:
        return 0
    code, _, rate_hz, bytes_per_s, frame_bytes, bits = struct.unpack("<HHIIHH", fmt)
    plain = code in (1, 3, 0xFFFE) and bits >= 8  # noqa: PLR2004 - PCM, float, extensible
    return int(rate_hz * frame_bytes if plain and frame_bytes else bytes_per_s)


def _finished(file: BinaryIO, at: int, end: int) -> bool:
    """Whether a data chunk of no bytes is followed by other chunks, or by nothing."""
    while at + _CHUNK_HEADER_BYTES <= end:
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(_CHUNK_HEADER_BYTES))
        if not (name.isascii() and name.decode("ascii", "replace").isprintable()):
            return False
        at += _CHUNK_HEADER_BYTES + size + size % 2
    return at >= end and at - end <= 1


def missing_share(file: BinaryIO) -> float:
    """How much of an AIFF, AU, W64 or AVI is missing, to what is there; 0 where none is known."""
    file.seek(0)
    head = file.read(40)
    end = file.seek(0, os.SEEK_END)
    stated = 0
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        stated = 8 + int.from_bytes(head[4:8], "big")
    elif head[:4] == b".snd":
        stated = int.from_bytes(head[4:8], "big") + int.from_bytes(head[8:12], "big")
    elif head[:4] == b"riff" and head[24:28] == b"wave":
        stated = int.from_bytes(head[16:24], "little")
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        stated = 8 + int.from_bytes(head[4:8], "little")
    unknown = any(stated in sizes for sizes in _UNKNOWN) or stated > 2**62
    return 0.0 if unknown else max(0, stated - end) / end
