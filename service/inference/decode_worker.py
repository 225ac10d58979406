"""What a decode worker runs: it decodes or aligns posteriors, one recording after another.

It speaks pickle with `service.inference.decode_workers` in the server, which sends a `Decoder` and
then jobs through a socket, and gets an outcome for each job. While it works it says once a second
that it does.
"""

import pickle
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from otoscope.alignment import AlignedText, align
from otoscope.decoding.decoder import Decoder, DecodeResult
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError
from otoscope.posteriors import Posteriors
from otoscope.processes import open_channel

Job = tuple[Posteriors, DecodingOptions | str]
"""What to decode and how, or the text to align with it."""

Outcome = DecodeResult | AlignedText | OtoscopeError | str
"""What came of a job, an error of the domain, or the traceback of an unexpected one."""

HEAD = struct.Struct("<Q")
"""Before each message: its bytes. None of them is a sign of life."""

BEAT_S = 1.0
"""Between signs of life."""


def way_of(decoder: Decoder, job: Job) -> Callable[..., DecodeResult | AlignedText]:
    """What does a job, to be called with its two parts."""
    return align if isinstance(job[1], str) else decoder.decode


class _Server:
    """The process that gives the jobs."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._working = False
        threading.Thread(target=self._beat, daemon=True).start()

    def receive(self) -> Any:  # noqa: ANN401 - a Decoder, then Jobs
        """The next message."""
        [size] = HEAD.unpack(self._take(HEAD.size))
        return pickle.loads(self._take(size))  # noqa: S301 - from our own server

    def say_ready(self) -> None:
        """Give a sign of life, the first."""
        self._send(HEAD.pack(0))

    def begin(self) -> None:
        """Give signs of life from now on."""
        self._working = True

    def send(self, outcome: Outcome) -> None:
        """Send what came of a job."""
        data = pickle.dumps(outcome)
        with self._lock:
            self._working = False
            self._send(HEAD.pack(len(data)) + data)

    def _take(self, size: int) -> bytes:
        data = bytearray(size)
        left = memoryview(data)
        while left:
            if not (received := self._channel.recv_into(left)):
                sys.exit()
            left = left[received:]
        return bytes(data)

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT_S)
            with self._lock:
                if self._working:
                    self._send(HEAD.pack(0))

    def _send(self, data: bytes) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # this process ends, too
            self._channel.sendall(data)


def main() -> None:
    """Work until the server goes."""
    server = _Server(open_channel())
    decoder: Decoder = server.receive()
    server.say_ready()
    while True:
        job: Job = server.receive()
        server.begin()
        outcome: Outcome
        try:
            outcome = way_of(decoder, job)(*job)
        except OtoscopeError as error:
            outcome = error
        except Exception:  # noqa: BLE001 - the server raises it where a request waits
            outcome = traceback.format_exc()
        server.send(outcome)


if __name__ == "__main__":
    main()
