"""The pages of an Ogg file (RFC 3533): the streams that are joined in it, and how it ends.

libsndfile reads the first stream of a chain or of those side by side, and is silent about the end.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

_HEADER_BYTES = 27
_PACKET_BYTES = 30
_FIRST_PAGE, _LAST_PAGE = 0x02, 0x04
_WINDOW_BYTES = 2**17

_MOST_LINKS = 1000
"""Fifty hours of a radio's songs; a chain of more is read as one stream."""

_MOST_PAGES = 2**20
"""Nearly six hours of the shortest that are written; more are not looked through."""


class Link(NamedTuple):
    """A part of a chain.

    Attributes:
        start, end: its first byte, and the one after its last.
        streams: that lie in it side by side; one as a rule.
        channels: the most that one of them has; 0 where that is not known.
    """

    start: int
    end: int
    streams: int = 1
    channels: int = 0


@dataclass(frozen=True)
class OggFacts:
    """An Ogg file.

    Attributes:
        links: of the chain; one as a rule.
        whole: whether the last page is all there.
        ended: whether it is marked as the last one.
    """

    links: tuple[Link, ...]
    whole: bool
    ended: bool


def ogg_facts(file: BinaryIO) -> OggFacts | None:
    """Look at a file that is open for reading and seeking; None if it is no Ogg."""
    file.seek(0)
    if file.read(4) != b"OggS":
        return None
    window, at = _Window(file), 0
    streams: dict[int, list[int]] = {}  # the channels of each, by the first byte of their link
    link, flags, first_before, whole = 0, 0, False, False
    for _ in range(_MOST_PAGES):
        found = window.find(at)
        if found is None:
            break
        at = found
        page = window.read(at, _HEADER_BYTES + 255)
        segments = page[_HEADER_BYTES - 1] if len(page) >= _HEADER_BYTES else 0
        sizes = page[_HEADER_BYTES : _HEADER_BYTES + segments]
        whole = len(page) >= _HEADER_BYTES and len(sizes) == segments
        flags = page[5] if len(page) > 5 else 0  # noqa: PLR2004 - RFC 3533, section 6
        first = bool(flags & _FIRST_PAGE)
        if first:
            link = link if first_before else at
            streams.setdefault(link, []).append(
                _channels(window.read(at + _HEADER_BYTES + len(sizes), _PACKET_BYTES))
            )
        first_before = first
        at += _HEADER_BYTES + len(sizes) + sum(sizes)
        if not whole or at > window.end:
            whole = False
            break
    else:
        return OggFacts((Link(0, window.end),), whole=True, ended=True)
    if not 1 <= len(streams) <= _MOST_LINKS:
        streams = {0: [0]}
    ends = [*list(streams)[1:], window.end]
    links = tuple(
        Link(start, end, len(channels), max(channels))
        for (start, channels), end in zip(streams.items(), ends, strict=True)
    )
    return OggFacts(links, whole, bool(flags & _LAST_PAGE))


def _channels(packet: bytes) -> int:
    """Of the stream that a packet begins, by its codec's mapping to Ogg; 0 if it is another."""
    packet = packet.ljust(_PACKET_BYTES, b"\0")
    if packet[:7] == b"\x01vorbis":
        return packet[11]
    if packet[:8] == b"OpusHead":  # RFC 7845, section 5.1
        return packet[9]
    if packet[:5] == b"\x7fFLAC":  # RFC 9639, section 10.1
        return (packet[29] >> 1 & 7) + 1
    return 0


class _Window:
    """A file that is read forwards, a large piece at a time.

    Attributes:
        end: its size in bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.end = file.seek(0, os.SEEK_END)
        self._file = file
        self._start, self._data = 0, b""

    def read(self, at: int, size: int) -> bytes:
        """At most so many bytes from `at` on."""
        begin = at - self._start
        if begin < 0 or begin + size > len(self._data):
            self._file.seek(at)
            self._start, self._data, begin = at, self._file.read(_WINDOW_BYTES), 0
        return self._data[begin : begin + size]

    def find(self, at: int) -> int | None:
        """Where the next page begins from `at` on; None if there is none."""
        while True:
            if self.read(at, 4) == b"OggS":  # as a rule
                return at
            data = self.read(at, _WINDOW_BYTES)
            found = data.find(b"OggS")
            if found >= 0:
                return at + found
            if len(data) < 4:  # noqa: PLR2004
                return None
            at += len(data) - 3


class Slice:
    """Some bytes of an open file as a file of their own."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._start, self._end = file, start, end
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes, none at the end."""
        left = max(0, self._end - self._start - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """As `io.IOBase.seek`."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end - self._start}
        self._at = max(0, base[whence] + offset)
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at
