"""Live audio: bare samples of standard input or of a microphone, until they end or Ctrl-C.

All comes through a queue, so that one `None` in it ends what waits for audio, wherever that is: a
signal's handler puts it there, and the last words are heard as those of a recording that ends.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType
from typing import Any, TypeAlias

from otoscope.cli.inputs import UsageError, pieces_of, unbuffered_stdin
from otoscope.errors import OtoscopeError

_PIECE_BYTES = 3200
"""A tenth of a second at 16 kHz."""

_WAITING_PIECES = 64
"""Of standard input, read ahead of the model."""

_PIECES_A_SECOND = 10
_MOST_BEHIND_S = 60
"""Of a device's audio that waits to be heard: more would fill the memory."""

_Put: TypeAlias = bytes | Exception | None
"""A piece of audio, what went wrong, or the end."""


class MicrophoneError(OtoscopeError):
    """There is no microphone, or it can't be used."""


class LivePieces:
    """Pieces of bytes as they come, for one reader.

    Attributes:
        exhausted: whether they ended, and all were taken.
    """

    def __init__(self) -> None:
        self.exhausted = False
        self._queue: SimpleQueue[_Put] = SimpleQueue()  # its `put` may interrupt its `get`
        self._room = threading.Semaphore(_WAITING_PIECES)

    def put(self, piece: _Put) -> None:
        """Add what a device gives, which does not wait; too much that is not heard is an error."""
        behind = self._queue.qsize() == _MOST_BEHIND_S * _PIECES_A_SECOND
        if behind and isinstance(piece, bytes):
            piece = MicrophoneError(
                f"expected to hear as fast as the microphone records, got {_MOST_BEHIND_S} s that "
                "wait: --decoder greedy and --model english-small take less of the processor"
            )
        self._queue.put(piece)

    def put_when_there_is_room(self, piece: bytes) -> None:
        """Add what a file gives."""
        self._room.acquire()
        self._queue.put(piece)

    def __iter__(self) -> Iterator[bytes]:
        """The pieces up to the end; raises what went wrong."""
        while (piece := self._queue.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            self._room.release()
            yield piece
        self.exhausted = True


@contextmanager
def ended_by_interrupt(pieces: LivePieces) -> Iterator[None]:
    """Have the first Ctrl-C end the pieces; a second one interrupts the program, as always."""

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        pieces.put(None)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def standard_input() -> Iterator[LivePieces]:
    """What a program writes into the command.

    Raises:
        UsageError: if that is a person, or closed.
    """
    # Unbuffered: a thread that waits within a buffered file would not let the program end.
    source = unbuffered_stdin()
    if sys.stdin.isatty():
        raise UsageError("-: expected samples from a pipe or a file, got a terminal")
    pieces = LivePieces()

    def read() -> None:
        try:
            for piece in pieces_of(source, _PIECE_BYTES):
                pieces.put_when_there_is_room(piece)
        except OSError as error:
            pieces.put(error)
        pieces.put(None)

    threading.Thread(target=read, daemon=True).start()
    yield pieces


@contextmanager
def microphone(device: str | None, rate_hz: int | None) -> Iterator[tuple[LivePieces, int]]:
    """16-bit samples of a microphone, and how many there are in a second.

    Args:
        device: its number or a part of its name, as PortAudio lists it; None for the system's.
        rate_hz: None for the device's own.

    Raises:
        MicrophoneError: if there is none, or it can't be used.
    """
    with _portaudio() as portaudio:
        which = int(device) if device is not None and device.isdecimal() else device
        own = portaudio.query_devices(which, kind="input")
        rate_hz = rate_hz or round(own["default_samplerate"])
        pieces = LivePieces()
        opened = portaudio.RawInputStream(
            samplerate=rate_hz,
            blocksize=rate_hz // _PIECES_A_SECOND,
            device=which,
            channels=1,
            dtype="int16",
            callback=lambda data, *_: pieces.put(bytes(data)),
            finished_callback=lambda: pieces.put(MicrophoneError("the microphone has stopped")),
        )
        opened.start()
    try:
        yield pieces, rate_hz
    finally:
        opened.abort()  # `stop` would wait for more audio
        opened.close()


@contextmanager
def _portaudio() -> Iterator[Any]:
    """The module `sounddevice`, whose errors say what was expected."""
    try:
        import sounddevice  # noqa: PLC0415 - an extra
    except OSError as error:  # the package is there, the library that it loads is not
        raise MicrophoneError(
            "expected PortAudio for the microphone (Debian: apt install libportaudio2), "
            f"got: {error}"
        ) from error
    try:
        yield sounddevice
    except (sounddevice.PortAudioError, ValueError) as error:
        raise MicrophoneError(
            f"expected a microphone (`python -m sounddevice` lists what there is), got: {error}"
        ) from error
