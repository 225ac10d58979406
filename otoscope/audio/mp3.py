"""What the first frame of an mp3 says of its length, in Xing's, Info's or VBRI's fields.

Decoders estimate the length of others from the first bit rate, and take the fields for the whole
where files were joined. http://gabriel.mp3-tech.org/mp3infotag.html describes them.
"""

import os
from typing import BinaryIO, NamedTuple

_RATES_HZ = ((11025, 12000, 8000), (), (22050, 24000, 16000), (44100, 48000, 32000))
"""By the version's bits: 2.5, none, 2, 1."""
_MPEG_1 = 3
_HEAD_BYTES = 2**12
_MOST_TAGS = 16


def begins_as_mpeg(file: BinaryIO) -> bool:
    """Whether libsndfile might give the file to mpg123: a tag, or the sync word of a frame."""
    file.seek(0)
    head = file.read(3)
    return head == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


class Stated(NamedTuple):
    """What the fields say.

    Attributes:
        length_s: seconds of sound.
        whole: whether as many bytes as they say are there.
    """

    length_s: float
    whole: bool


def mp3_length(file: BinaryIO) -> Stated | None:
    """What a file, open for reading and seeking, states; None if it doesn't."""
    begins_at = after_id3v2(file)
    there = file.seek(0, os.SEEK_END) - begins_at
    file.seek(begins_at)
    head = file.read(_HEAD_BYTES)
    skipped, (version, rate_hz, mono) = _first_frame(head)
    if not rate_hz:
        return None
    frame = head[skipped:]
    samples = 1152 if version == _MPEG_1 else 576
    side_bytes = {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}
    fields = frame[4 + side_bytes[version == _MPEG_1, mono] :]
    stated = _xing(fields) or _vbri(frame[36:])
    if stated is None:
        return None
    frames, cut_samples, size = stated
    return Stated((frames * samples - cut_samples) / rate_hz, 0 < size <= there)


def after_id3v2(file: BinaryIO) -> int:
    """Where a file goes on behind its ID3v2 tags, in bytes; 0 if it begins with none."""
    at = 0
    for _ in range(_MOST_TAGS):
        file.seek(at)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10:  # noqa: PLR2004 - a tag's header
            break
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if head[5] & 0x10 else 0)
    return at


def _first_frame(head: bytes) -> tuple[int, tuple[int, int, bool]]:
    """Where it begins, and its version, rate and whether it is mono; rate 0 if there is none."""
    at = head.find(b"\xff")
    while 0 <= at <= len(head) - 4:
        _, second, third, fourth = head[at : at + 4]
        version, layer, rate = second >> 3 & 3, second >> 1 & 3, third >> 2 & 3
        if second >= 0xE0 and layer == 1 and rate < 3 and _RATES_HZ[version]:  # noqa: PLR2004
            return at, (version, _RATES_HZ[version][rate], fourth >> 6 == 3)  # noqa: PLR2004
        at = head.find(b"\xff", at + 1)
    return 0, (0, 0, False)


def _xing(fields: bytes) -> tuple[int, int, int] | None:
    """Frames, samples that are cut off at both ends, bytes or 0; None if the fields lack frames."""
    if fields[:4] not in (b"Xing", b"Info") or len(fields) < 156 or not fields[7] & 1:  # noqa: PLR2004
        return None
    flags, at = fields[7], 8
    frames = int.from_bytes(fields[at : at + 4])
    size = int.from_bytes(fields[at + 4 : at + 8]) if flags & 2 else 0
    at += 4 + (4 if flags & 2 else 0) + (100 if flags & 4 else 0) + (4 if flags & 8 else 0)
    lame = fields[at:]
    ends = int.from_bytes(lame[21:24]) if lame[:4].isalnum() else 0
    return frames, (ends >> 12) + (ends & 0xFFF), size


def _vbri(fields: bytes) -> tuple[int, int, int] | None:
    if fields[:4] != b"VBRI" or len(fields) < 18:  # noqa: PLR2004
        return None
    return int.from_bytes(fields[14:18]), 0, int.from_bytes(fields[10:14])
