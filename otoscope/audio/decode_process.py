"""What a decoding process runs: FFmpeg's libraries, on one file or stream after another.

A damaged or malicious file may bring them down, or worse. So this process holds nothing but the
file, may open nothing else while it decodes (no file and no network), and has limits of memory and
processor time. It speaks with `otoscope.audio.decode_processes` through a socket, which gives it
a file's descriptor, and gets messages of JSON and raw samples back: nothing that could run.
"""

import json
import math
import os
import resource
import select
import socket
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from otoscope.audio import ffmpeg
from otoscope.audio.decode_messages import HEAD
from otoscope.audio.decoder_ends import ALLOWED_S, CPU_S
from otoscope.audio.parts import THE_USUAL, Block, Choice, Opened, Remark, Samples, Waiting
from otoscope.errors import AudioError
from otoscope.processes import CHANNEL, open_channel

MEMORY_BYTES = 3 * 2**29
"""Address space, of which a quarter is taken before the first file."""

_BLOCK_SAMPLES = 2**13
"""Smaller ones are sent together."""


class DescribedFile:
    """A file by its descriptor, with a position of its own, which its sender does not share."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._at = 0

    def read(self, size: int) -> bytes:
        """At most so many bytes, none at the end."""
        data = os.pread(self._descriptor, size, self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As `io.IOBase.seek`."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at


class DescribedStream:
    """A stream by its socket, which reports before it waits for more."""

    def __init__(self, descriptor: int, waits: Callable[[int], None]) -> None:
        """Of a descriptor.

        Args:
            descriptor: of a socket.
            waits: called with the number of bytes read, before waiting for more.
        """
        self._descriptor, self._waits = descriptor, waits
        self._read_bytes = 0

    def read(self, size: int) -> bytes:
        """At most so many bytes, as soon as there are any; none at the end."""
        if not select.select([self._descriptor], [], [], 0)[0]:
            self._waits(self._read_bytes)
        data = os.read(self._descriptor, size)
        self._read_bytes += len(data)
        return data


class _Outgoing:
    """Messages to the process that asked."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._waiting: list[Samples] = []
        self._rate_hz = self._channels = 0
        self._allowed_s = ALLOWED_S

    def add(self, part: object) -> None:
        """Send a part, or keep a block until there is more of its kind."""
        if not isinstance(part, Block):
            self.send({"part": type(part).__name__, "fields": asdict(part)})  # type: ignore[call-overload]
            return
        if (part.rate_hz, part.channels) != (self._rate_hz, self._channels):
            self.flush()
            self._rate_hz, self._channels = part.rate_hz, part.channels
        self._waiting.append(part.samples)
        if sum(each.size for each in self._waiting) >= _BLOCK_SAMPLES:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            samples = np.concatenate(self._waiting).astype("<f4", copy=False)
            self._waiting.clear()
            fields = {"rate_hz": self._rate_hz, "channels": self._channels}
            self.send({"part": "Block", "fields": fields}, samples.tobytes())
            self._allow_more(samples.size / self._rate_hz)

    def _allow_more(self, sent_s: float) -> None:
        """Time for what follows, so that a recording may be as long as it likes."""
        self._allowed_s -= sent_s
        if self._allowed_s <= 0:
            self._allowed_s = ALLOWED_S
            _allow_time()

    def wait(self, read_bytes: int) -> None:
        """Send everything, and report that the decoder waits for more input."""
        self.flush()
        self.add(Waiting(read_bytes))
        _allow_time()

    def send(self, document: dict[str, Any], samples: bytes = b"") -> None:
        """Send a message."""
        text = json.dumps(document).encode()
        self._channel.sendall(HEAD.pack(len(text), len(samples)) + text + samples)


def main() -> None:
    """Decode until the process that asks goes, which alone decides when this one ends."""
    channel = open_channel()
    ffmpeg.load_all()
    _limit()
    channel.sendall(HEAD.pack(0, 0))  # it is ready
    while True:
        message, descriptors, *_ = socket.recv_fds(channel, len(THE_USUAL), 1)
        if not message:
            return
        _allow_time()
        try:
            _decode(descriptors[0], message, _Outgoing(channel))
        except BrokenPipeError:
            return
        finally:
            os.close(descriptors[0])


def _decode(descriptor: int, request: bytes, outgoing: _Outgoing) -> None:
    """Send all parts of one file or stream, and the outcome."""
    end = {"end": "", "detail": ""}
    try:
        for part in _parts(descriptor, request, outgoing):
            outgoing.add(part)
    except AudioError as error:
        end = {"end": type(error).__name__, "detail": str(error)}
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever PyAV raises, the file is at fault
        end = {"end": "failure", "detail": f"{error}" or type(error).__name__}
    outgoing.flush()
    outgoing.send(end)


def _parts(
    descriptor: int, request: bytes, outgoing: _Outgoing
) -> Iterator[Opened | Block | Remark]:
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return ffmpeg.decode_stream(DescribedStream(descriptor, outgoing.wait))
    track, channel, opened_only, channels = request
    choice = Choice(track, channel, bool(opened_only), channels)
    return ffmpeg.decode(DescribedFile(descriptor), choice)


def _limit() -> None:
    """Give up what decoding a file doesn't need."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, CHANNEL + 2),  # the socket and the file
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        resource.setrlimit(what, (most, most))


def _allow_time() -> None:
    """Be killed by the system once CPU_S more seconds of processor time have gone."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + CPU_S, most))


if __name__ == "__main__":
    main()
