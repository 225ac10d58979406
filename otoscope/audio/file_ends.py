"""Where the headers of AIFF, AU, CAF, NIST, W64, AVI, FLAC and MP4 say that a file ends.

Their decoders take the end of a cut file for its end, and pass over what follows the stated one.
"""

import os
import re
import struct
from typing import BinaryIO, NamedTuple

from otoscope.audio.mp3 import after_id3v2
from otoscope.audio.riff import of_no_known_size

NO_END_MARK = "the Ogg stream has no end mark: if it was cut, then between two pages"
UNFINISHED = "the header was never finished: all that follows it was read"
GOES_ON = "the file goes on behind the end that its header states: what follows was not read"

_HEAD_BYTES = 1024
_MOST_CHUNKS = 4096
_CAF_CHUNK, _BOX = struct.Struct(">4sq"), struct.Struct(">I4s")

_FLAC_HEAD_BYTES = 26
_FLAC_START = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_FLAC_BUFFER_BYTES = 2**14
"""libFLAC reads at most so much ahead. Tags behind the sound are seldom longer."""


def missing_share(file: BinaryIO) -> float:
    """How much is missing of what a header states, to what is there.

    Below 0 for what lies behind the stated end and was not read; 0 where none is known.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    end = file.seek(0, os.SEEK_END)
    if (stated := _stated_end(file, head, end)) is not None:
        return (stated - end) / end
    stated = _end_that_is_passed(head)
    return 0.0 if stated is None else max(0, stated - end) / end


def _stated_end(file: BinaryIO, head: bytes, end: int) -> int | None:
    """Of an AIFF, AU or CAF, which decoders read no further."""
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _end(8, int.from_bytes(head[4:8], "big"))
    if head[:4] == b".snd":
        return _end(int.from_bytes(head[4:8], "big"), int.from_bytes(head[8:12], "big"))
    return _end_of_caf(file, end) if head[:4] == b"caff" else None


def _end_that_is_passed(head: bytes) -> int | None:
    """Of a W64, AVI or NIST: their decoders read what follows, too."""
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return _end(0, int.from_bytes(head[16:24], "little"))
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _end(8, int.from_bytes(head[4:8], "little"))
    if head[:7] == b"NIST_1A" and head[8:15].strip().isdigit():
        names = (b"sample_count", b"sample_n_bytes", b"channel_count")
        fields = [re.search(rb"\n%b -i ([0-9]{1,12})\n" % name, head) for name in names]
        samples, sample_bytes, channels = (int(each[1]) if each else 0 for each in fields)
        return _end(int(head[8:15]), samples * sample_bytes * channels)
    return None


def _end(start: int, size: int) -> int | None:
    """Behind `size` bytes from `start` on; None if they were not known when that was written."""
    return start + size if 0 < size < 2**62 and not of_no_known_size(size) else None


def _end_of_caf(file: BinaryIO, end: int) -> int | None:
    """That of its last chunk."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(_CAF_CHUNK.size)
        if len(head) < _CAF_CHUNK.size:
            return at
        name, size = _CAF_CHUNK.unpack(head)
        if name == b"caff" or not (name.isascii() and name.decode("ascii").isprintable()):
            return at
        at += _CAF_CHUNK.size + size
        if size < 0 or at > end:
            return at if size >= 0 else None
    return None


class FlacFacts(NamedTuple):
    """What the header of a FLAC states (RFC 9639, section 8.2).

    Attributes:
        rate_hz: 0 for what is no sound.
        samples: of each channel; 0 where that was not known.
    """

    rate_hz: int
    samples: int


def flac_facts(file: BinaryIO) -> FlacFacts | None:
    """Look at a file, also behind tags; None if it is no FLAC."""
    file.seek(after_id3v2(file))
    head = file.read(_FLAC_HEAD_BYTES)
    if len(head) < _FLAC_HEAD_BYTES or head[:4] != b"fLaC":
        return None
    return FlacFacts(int.from_bytes(head[18:21]) >> 4, int.from_bytes(head[21:26]) & (2**36 - 1))


def flac_goes_on(file: BinaryIO) -> bool:
    """Whether much follows, or another FLAC, where libFLAC has read the last sample."""
    at = file.tell()
    left = file.seek(0, os.SEEK_END) - at
    file.seek(max(1, at - _FLAC_BUFFER_BYTES))
    near = file.read(2 * _FLAC_BUFFER_BYTES)
    file.seek(at)
    return left > _FLAC_BUFFER_BYTES or _FLAC_START.search(near) is not None


def mp4_goes_on(file: BinaryIO) -> bool:
    """Whether another MP4 follows, which FFmpeg passes over."""
    end, at = file.seek(0, os.SEEK_END), 0
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(_BOX.size)
        if len(head) < _BOX.size:
            return False
        size, name = _BOX.unpack(head)
        if (name == b"ftyp") != (at == 0):
            return at > 0
        at += int.from_bytes(file.read(8)) if size == 1 else size
        if size == 0 or at >= end:
            return False
    return False
