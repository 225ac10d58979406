"""Recordings by their names on the command line, standard input among them."""

import select
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from otoscope.errors import OtoscopeError
from otoscope.local_model import Recording

STDIN = "-"

_READ_BYTES = 2**20


class UsageError(OtoscopeError):
    """Arguments that make no sense together."""


def read(name: str) -> Recording:
    """A recording; a pipe is read to its end.

    Raises:
        OSError, UsageError: if a pipe or standard input can't be read.
    """
    if name == STDIN:
        return b"".join(pieces_of(unbuffered_stdin(), _READ_BYTES))
    return Path(name).read_bytes() if Path(name).is_fifo() else Path(name)


def unbuffered_stdin() -> Any:  # noqa: ANN401 - a file of bytes, not always of the system
    """Standard input; UsageError if it is closed."""
    if sys.stdin is None:
        raise UsageError("-: expected a recording in standard input, which is closed")
    return getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)


def pieces_of(file: Any, most_bytes: int) -> Iterator[bytes]:  # noqa: ANN401 - likewise
    """What an unbuffered file gives, up to its end; of one that does not wait, too."""
    while (piece := file.read(most_bytes)) != b"":
        if piece is None:
            select.select([file], [], [])
        else:
            yield piece
