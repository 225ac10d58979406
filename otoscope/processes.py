"""Processes beside this one, each running a module of this package, and the sockets to them."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Check = Callable[[], None]
"""Called now and then in a wait; what it raises ends that."""

LOOK_S = 0.2
"""How often a wait asks its `Check`."""

CHANNEL = 3
"""The descriptor of the socket in the new process."""

_END_S = 10.0
"""A process that takes longer to end is killed."""

_MATRIX_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def no_check() -> None:
    """Let a wait go on."""


class ModuleProcess:
    """A process that runs a module, used by one thread at a time.

    It sees the same modules as this one, computes with one thread, and gets no signals from the
    terminal. It ends when this process does, however that ends: see `open_channel`.
    """

    def __init__(self, module: str) -> None:
        """Start it; OSError if that can't be done."""
        self._channel, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this Python, and our own module
                    [sys.executable, "-P", "-m", module, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                    env={
                        **os.environ,
                        **dict.fromkeys(_MATRIX_THREADS, "1"),
                        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
                    },
                )
            except BaseException:
                self._channel.close()
                raise
        self._channel.settimeout(LOOK_S)

    def exit_code(self) -> int | None:
        """None while it is alive; negative if a signal ended it."""
        return self._process.poll()

    def exit_code_soon(self) -> int:
        """Its exit code, once it has ended or, if it does not by itself, was killed."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LOOK_S)
        return self.kill()

    def close(self) -> None:
        """Have it end by itself."""
        self._channel.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self.kill()

    def kill(self) -> int:
        """End it at once, if it has not ended; its exit code."""
        self._process.kill()
        self._channel.close()
        return self._process.wait()

    def send_descriptor(self, descriptor: int, about: bytes) -> None:
        """Give it a file of this process, with bytes about it; OSError if it is gone."""
        socket.send_fds(self._channel, [about], [descriptor])

    async def receive_soon(
        self, size: int, patience_s: float, idle: Callable[[], bool] = bool
    ) -> bytes:
        """`receive` in an event loop; while `idle`, the process may be silent."""
        loop, data = asyncio.get_running_loop(), bytearray(size)
        left = memoryview(data)
        self._channel.setblocking(False)  # noqa: FBT003 - its only argument
        try:
            while left:
                receiving = asyncio.ensure_future(loop.sock_recv_into(self._channel, left))
                try:
                    while not (await asyncio.wait({receiving}, timeout=patience_s))[0]:
                        if not idle():
                            raise TimeoutError(f"it kept still for {patience_s:g} s")
                finally:
                    receiving.cancel()
                if not (received := receiving.result()):
                    raise EOFError("it has ended")
                left = left[received:]
        finally:
            self._channel.settimeout(LOOK_S)
        return bytes(data)

    def send(self, data: bytes | memoryview, check: Check, patience_s: float) -> None:
        """Send all of `data`; raises as `receive` does."""
        left, end_s = memoryview(data), time.monotonic() + patience_s
        while left:
            check()
            try:
                sent = self._channel.send(left)
            except TimeoutError:
                _still(end_s, patience_s)
                continue
            left, end_s = left[sent:], time.monotonic() + patience_s

    def receive(self, size: int, check: Check, patience_s: float) -> bytes:
        """So many bytes from it.

        Raises:
            EOFError, OSError: if it ends before.
            TimeoutError: if none come for `patience_s` seconds.
            Whatever `check` raises.
        """
        data = bytearray(size)
        left, end_s = memoryview(data), time.monotonic() + patience_s
        while left:
            check()
            try:
                received = self._channel.recv_into(left)
            except TimeoutError:
                _still(end_s, patience_s)
                continue
            if not received:
                raise EOFError("it has ended")
            left, end_s = left[received:], time.monotonic() + patience_s
        return bytes(data)


def open_channel() -> socket.socket:
    """The socket to the process that started this one with `ModuleProcess`, called first of all.

    From here on this process ends when the other one has gone, even in the middle of its work.
    Signals that go to all processes are ignored: the other one decides when this one ends.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if (given := int(sys.argv[1])) != CHANNEL:
        os.dup2(given, CHANNEL)
        os.close(given)
    channel = socket.socket(fileno=CHANNEL)
    threading.Thread(target=_leave_with, args=(channel,), daemon=True).start()
    return channel


def _leave_with(channel: socket.socket) -> None:
    poll = select.poll()
    poll.register(channel, 0)  # being hung up is always told
    poll.poll()
    os._exit(0)


def _still(end_s: float, patience_s: float) -> None:
    if time.monotonic() > end_s:
        raise TimeoutError(f"it kept still for {patience_s:g} s")
