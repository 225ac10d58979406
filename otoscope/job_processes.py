"""Child processes that do jobs one after another: the parent's and the child's side.

Messages are pickled: the parent sends what all jobs have in common, then jobs, and receives an
outcome for each. A working process sends a sign of life every second.
"""

import pickle
import struct
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from otoscope.errors import OtoscopeError
from otoscope.processes import Check, ModuleProcess, no_check, open_channel

HEAD = struct.Struct("<Q")
"""Before each message: its size in bytes. 0 is a sign of life."""

BEAT_S = 1.0
"""Between signs of life."""

SILENT_S = 10.0
"""A process that gives no sign of life for so long is lost."""

START_S = 60.0
"""Longest that a new one may take to load its modules and what the jobs have in common."""

LOST = (OSError, EOFError, pickle.UnpicklingError)
"""Errors if a process dies or gives no sign of life."""


class JobProcess(ModuleProcess):
    """A process that does jobs, used by one thread at a time."""

    def __init__(self, module: str, common: object) -> None:
        """Start it.

        Args:
            module: whose main talks to a `JobParent`.
            common: its first message.

        Raises:
            OSError, EOFError, UnpicklingError: if it can't be started.
            OtoscopeError: if it refuses `common`.
        """
        super().__init__(module)
        try:
            self._send_message(common, no_check, START_S)
            self._await_ready()
        except BaseException:
            self.kill()
            raise

    def run(self, job: object, check: Check) -> Any:  # noqa: ANN401 - as its module says
        """The outcome of a job.

        Raises:
            OSError, EOFError, UnpicklingError: if it dies or gives no sign of life.
            Whatever `check` raises, which is called several times a second. It is killed then.
        """
        try:
            self._send_message(job, check, SILENT_S)
            while not (size := self._receive_size(check, SILENT_S)):
                pass  # it lives
            return pickle.loads(self.receive(size, check, SILENT_S))  # noqa: S301 - ours
        except BaseException:  # the channel may hold a partial message
            self.kill()
            raise

    def _await_ready(self) -> None:
        if size := self._receive_size(no_check, START_S):
            raise pickle.loads(self.receive(size, no_check, START_S))  # noqa: S301 - ours

    def _receive_size(self, check: Check, patience_s: float) -> int:
        [size] = HEAD.unpack(self.receive(HEAD.size, check, patience_s))
        return int(size)

    def _send_message(self, message: object, check: Check, patience_s: float) -> None:
        data = pickle.dumps(message)
        self.send(HEAD.pack(len(data)), check, patience_s)
        self.send(data, check, patience_s)


class JobParent:
    """The parent process, seen from the child."""

    def __init__(self) -> None:
        """To be created first: see `open_channel`."""
        self._channel = open_channel()
        self._lock = threading.Lock()
        self._working = False
        threading.Thread(target=self._beat, daemon=True).start()

    def receive(self) -> Any:  # noqa: ANN401 - what the parent sends
        """The next message; exits if the parent has closed the channel."""
        [size] = HEAD.unpack(self._take(HEAD.size))
        return pickle.loads(self._take(size))  # noqa: S301 - from our own parent

    def say_ready(self) -> None:
        """Send the first sign of life."""
        self._send(HEAD.pack(0))

    def refuse(self, error: OtoscopeError) -> None:
        """Send instead why no job can be done."""
        self.send(error)

    def begin(self) -> None:
        """Send signs of life from now on, until `send`."""
        self._working = True

    def send(self, outcome: object) -> None:
        """Send the outcome of a job."""
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
        with suppress(BrokenPipeError, ConnectionResetError):  # this process exits soon, too
            self._channel.sendall(data)
