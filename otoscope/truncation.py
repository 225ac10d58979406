"""Does a file break off before its own end? Asked of the bytes, where decoders stay silent.

libsndfile takes the length of a cut wav or ogg from what is there, so the decoded length says
nothing. The containers do: a RIFF header states the size of its samples, and the last page of an
Ogg stream carries a flag (RFC 3533, section 6).
"""

import struct

_RIFF_HEADER_BYTES = 12
_CHUNK_HEADER_BYTES = 8
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""What programs write to a pipe for a size they don't know yet; RF64 means another field."""

_OGG_HEADER_BYTES = 27
_OGG_LAST_PAGE = 0x04


def breaks_off(data: bytes) -> bool:
    """Whether `data`, a whole file, is a wav or ogg that ends before its own end.

    False for other formats and where the header does not say.
    """
    if data[:4] == b"RIFF":
        return _wav_breaks_off(data)
    if data[:4] == b"OggS":
        return _ogg_breaks_off(data)
    return False


def _wav_breaks_off(data: bytes) -> bool:
    at = _RIFF_HEADER_BYTES
    while at + _CHUNK_HEADER_BYTES <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += _CHUNK_HEADER_BYTES
        if name == b"data":
            return size not in _UNKNOWN_SIZES and at + size > len(data)
        at += size + size % 2
    return True


def _ogg_breaks_off(data: bytes) -> bool:
    at = data.rfind(b"OggS")
    if at + _OGG_HEADER_BYTES > len(data):
        return True
    segments = data[at + _OGG_HEADER_BYTES - 1]
    body = at + _OGG_HEADER_BYTES + segments
    sizes = data[at + _OGG_HEADER_BYTES : body]
    whole = len(sizes) == segments and body + sum(sizes) <= len(data)
    return not (whole and data[at + 5] & _OGG_LAST_PAGE)
