"""A uvicorn server that stops without breaking off a single request.

Whoever connects while a server closes its listening socket may find the connection made by the
kernel and reset a moment later, with the request in it; so may whoever has connected and not been
read yet. A proxy can try a refused connection elsewhere, but not that: for all it knows the request
was begun. So new connections are held back first, and those that are made have time to bring what
they were made for.
"""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType

import uvicorn

SETTLE_S = 1.0
"""How long a connection that is made has to bring its request."""

_NO_OPENING_SEGMENTS = (
    # A classic BPF program on the TCP header: drop what has SYN and not ACK in its flags, keep the
    # rest. Each instruction is a code, two jumps, and an operand (Linux, filter.h).
    (0x30, 0, 0, 13),  # load byte 13, the flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # keep
)
_SO_ATTACH_FILTER = 26


class Server(uvicorn.Server):
    """For one process with a listening socket of its own."""

    def __init__(self, config: uvicorn.Config, *, settle_s: float = SETTLE_S) -> None:
        """Listen nowhere yet.

        Args:
            config: uvicorn's.
            settle_s: how long connections that are made have to bring their requests, in seconds.
        """
        super().__init__(config)
        self._settle_s = settle_s
        self._hurry = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl+C is somebody who waits."""
        self._hurry = sig == signal.SIGINT
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, answer the requests of those that are made, and stop."""
        if not self._hurry:
            for server in self.servers:
                hold_back(server.sockets)
            await asyncio.sleep(self._settle_s)
        await super().shutdown(sockets)


def hold_back(listening: Sequence[socket.socket]) -> None:
    """Let no new connection be made, and none that is made be lost.

    Opening segments are dropped. Who sent them sends them again a second later; when the socket is
    closed by then, the answer is that nobody listens. Elsewhere than on Linux nothing happens.

    Args:
        listening: TCP sockets.
    """
    if sys.platform != "linux":
        return
    instructions = b"".join(
        code.to_bytes(2, sys.byteorder) + bytes(jumps) + operand.to_bytes(4, sys.byteorder)
        for code, *jumps, operand in _NO_OPENING_SEGMENTS
    )
    program = ctypes.create_string_buffer(instructions, len(instructions))
    count = len(_NO_OPENING_SEGMENTS).to_bytes(2, sys.byteorder)
    # struct sock_fprog: a count, and a pointer where pointers are aligned.
    address = ctypes.addressof(program).to_bytes(ctypes.sizeof(ctypes.c_void_p), sys.byteorder)
    fprog = count.ljust(len(address), b"\0") + address
    for each in listening:
        # What uvloop gives is no socket that could be told anything.
        with socket.socket(fileno=os.dup(each.fileno())) as same:
            if same.family in (socket.AF_INET, socket.AF_INET6):
                same.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)
