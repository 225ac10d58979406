"""Does a file break off before its own end? Asked of the bytes, where decoders stay silent.

libsndfile takes the length of a cut wav or ogg from what is there, so the decoded length says
nothing. The containers do: a RIFF header states the size of its samples, and the last page of an
Ogg stream carries a flag (RFC 3533, section 6).
"""

import os
import struct
from typing import BinaryIO

_RIFF_HEADER_BYTES = 12
_CHUNK_HEADER_BYTES = 8
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""What programs write to a pipe for a size they don't know yet; RF64 means another field."""

_OGG_HEADER_BYTES = 27
_OGG_LONGEST_PAGE_BYTES = _OGG_HEADER_BYTES + 255 + 255 * 255
_OGG_LAST_PAGE = 0x04


def breaks_off(file: BinaryIO) -> bool:
    """Whether `file`, open for reading and seeking, is a wav or ogg that ends before its own end.

    False for other formats and where the header does not say.
    """
    file.seek(0)
    kind = file.read(4)
    if kind == b"RIFF":
        return _wav_breaks_off(file)
    if kind == b"OggS":
        return _ogg_breaks_off(file)
    return False


def _wav_breaks_off(file: BinaryIO) -> bool:
    end, at = file.seek(0, os.SEEK_END), _RIFF_HEADER_BYTES
    while at + _CHUNK_HEADER_BYTES <= end:
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(_CHUNK_HEADER_BYTES))
        at += _CHUNK_HEADER_BYTES
        if name == b"data":
            return size not in _UNKNOWN_SIZES and at + size > end
        at += size + size % 2
    return True


def _ogg_breaks_off(file: BinaryIO) -> bool:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _OGG_LONGEST_PAGE_BYTES))
    end_bytes = file.read()
    at = end_bytes.rfind(b"OggS")
    if at < 0 or at + _OGG_HEADER_BYTES > len(end_bytes):
        return True
    segments = end_bytes[at + _OGG_HEADER_BYTES - 1]
    body = at + _OGG_HEADER_BYTES + segments
    sizes = end_bytes[at + _OGG_HEADER_BYTES : body]
    whole = len(sizes) == segments and body + sum(sizes) <= len(end_bytes)
    return not (whole and end_bytes[at + 5] & _OGG_LAST_PAGE)
