"""QuickTime, MP4, CAF and AIFF files without what they say of where their channels are placed.

FFmpeg 8.1 corrupts its heap at some placements of 7 channels and more (`ff_mov_read_chan`, which
reads them in all of these formats). Placement plays no part here, where channels are counted, so
FFmpeg finds free space in its stead.
"""

import os
import re
import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Protocol

_BOX, _CAF_CHUNK, _AIFF_CHUNK = struct.Struct(">I4s"), struct.Struct(">4sq"), struct.Struct(">4sI")
_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
"""Boxes around the descriptions of a track's samples, which may hold boxes named "chan"."""

_HIDDEN = b"free"
_MOST_BYTES = 2**20
"""Of a track's descriptions; a few hundred are usual."""


class ReadableFile(Protocol):
    """What FFmpeg reads from. It has no name, whose suffix would decide how it is read."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As `io.IOBase.seek`."""

    def tell(self) -> int:
        """The position."""


class WithoutLayouts:
    """The same file, in which the names of boxes and chunks that place channels are "free"."""

    def __init__(self, file: ReadableFile) -> None:
        """Look through `file`, and go to its start."""
        self._file = file
        self._names_at = sorted(_layouts(file))
        self.seek, self.tell = file.seek, file.tell
        self.seek(0)

    def read(self, size: int) -> bytes:
        """As that of the file."""
        start = self.tell()
        data = self._file.read(size)
        first = bisect_left(self._names_at, start - len(_HIDDEN) + 1)
        last = bisect_left(self._names_at, start + len(data))
        if first == last:
            return data
        patched = bytearray(data)
        for at in self._names_at[first:last]:
            inside = slice(max(at - start, 0), at - start + len(_HIDDEN))
            share = patched[inside]
            patched[inside] = _HIDDEN[max(start - at, 0) :][: len(share)]
        return bytes(patched)


def _layouts(file: ReadableFile) -> Iterator[int]:
    """Where the names of what places channels begin."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(4)
    if head == b"caff":
        yield from _chunks(file, 8, end, _CAF_CHUNK, b"chan")
    elif head == b"FORM":
        yield from _chunks(file, 12, end, _AIFF_CHUNK, b"CHAN")
    else:
        for start, stop in _boxes(file, 0, end, _PATH):
            file.seek(start)
            described = file.read(min(stop - start, _MOST_BYTES))
            yield from (start + found.start() for found in re.finditer(b"chan", described))


def _chunks(
    file: ReadableFile, at: int, end: int, form: struct.Struct, wanted: bytes
) -> Iterator[int]:
    """Where those of a name begin, in a file that is a row of chunks."""
    while at + form.size <= end:
        file.seek(at)
        name, size = form.unpack(file.read(form.size))
        if name == wanted:
            yield at
        if size < 0:  # to the end of the file
            return
        at += form.size + size + (size % 2 if form is _AIFF_CHUNK else 0)


def _boxes(
    file: ReadableFile, at: int, end: int, path: Sequence[bytes]
) -> Iterator[tuple[int, int]]:
    """Start and end of the contents of boxes that lie in others as `path` says."""
    while at + _BOX.size <= end:
        file.seek(at)
        size, name = _BOX.unpack(file.read(_BOX.size))
        start = at + _BOX.size
        if size == 1:
            size, start = int.from_bytes(file.read(8)), start + 8
        stop = min(at + size, end) if size else end
        if stop < start:
            return
        if name == path[0]:
            inner = path[1:]
            yield from _boxes(file, start, stop, inner) if inner else ((start, stop),)
        at = stop
