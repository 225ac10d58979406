"""Live streams: audio comes while it is heard. How many there may be, and the work for one.

A stream takes its turn among the recordings, a hearing at a time. One that falls behind is heard
less often, each time with more to hear, until it keeps up.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from otoscope.audio import PcmStream
from otoscope.streaming import Event, Final, StreamingTranscriber
from service.errors import QueueFullError, StreamsFullError
from service.inference.deadline import Deadline, applies
from service.inference.request_pool import RequestPool, Steps

MOST_STEP_S = 2.0
"""Between two hearings of a stream that falls behind."""

MOST_WAITING_BYTES, MOST_WAITING_PIECES = 2**19, 2**12
"""Of a stream that comes faster than it is heard; the rest stays with its sender."""

_PIECE_BYTES = 2**16

_SLOWER = 1.5
_RETRY_S = 0.25


@dataclass(frozen=True)
class StreamLimits:
    """When a stream has to end.

    Attributes:
        idle_s: longest that it may bring nothing.
        longest_s: longest that it may last, in seconds of audio.
    """

    idle_s: float
    longest_s: float


class LiveStreams:
    """The streams of this process."""

    def __init__(self, most: int, observe: Callable[[int], None]) -> None:
        """Allow `most` at a time, and tell `observe` how many there are when that changes."""
        self._most, self._observe, self._count = most, observe, 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one stream; StreamsFullError at once if all are taken."""
        if self._count >= self._most:
            raise StreamsFullError(
                f"expected fewer than {self._most} streams at a time, got one more; "
                f"try again in {StreamsFullError.retry_after_s} s"
            )
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def _change(self, by: int) -> None:
        self._count += by
        self._observe(self._count)


@dataclass(frozen=True)
class Pace:
    """A stream is heard at another pace.

    Attributes:
        step_s: audio between two hearings from now on.
    """

    step_s: float


@dataclass(frozen=True)
class Flushed:
    """All is heard that was put in before a flush.

    Attributes:
        received_s: audio until there.
        spoken: whether it ended an utterance.
    """

    received_s: float
    spoken: bool


StreamEvent: TypeAlias = Event | Pace | Flushed


class LiveStream:
    """One stream: bytes go in, and what was heard comes out. For the event loop alone."""

    def __init__(
        self,
        transcriber: StreamingTranscriber,
        pcm: PcmStream,
        pool: RequestPool,
        bytes_per_s: float,
    ) -> None:
        """Begin with nothing.

        Args:
            transcriber: of this stream.
            pcm: likewise.
            pool: where it is heard.
            bytes_per_s: of what is put in.
        """
        self._transcriber, self._pcm, self._pool = transcriber, pcm, pool
        self._bytes_per_s, self._base_s = bytes_per_s, transcriber.step_s
        self._waiting: deque[bytes | bool | Exception] = deque()
        self._waiting_bytes = self._waiting_flushes = 0
        self._changed, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._deadline = Deadline(float("inf"))
        self._forgets = self._flushing = False
        self.received_bytes = 0

    @property
    def received_s(self) -> float:
        """Seconds of audio that were put in."""
        return self.received_bytes / self._bytes_per_s

    async def put(self, data: bytes) -> None:
        """Put some of the stream in, once there is room for it."""
        await self._room.wait()
        self._waiting_bytes += len(data)
        self.received_bytes += len(data)
        for at in range(0, len(data) or 1, _PIECE_BYTES):
            self._append(data[at : at + _PIECE_BYTES])

    async def flush(self) -> None:
        """End the utterance behind all that was put in, once there is room for that."""
        await self._room.wait()
        self._append_flush(ends=False)

    def end(self) -> None:
        """End the stream behind all that was put in."""
        self._append_flush(ends=True)

    def fail(self, error: Exception) -> None:
        """End the stream with an error after everything that was put in."""
        self._waiting_flushes += 1
        self._append(error)

    def _append_flush(self, *, ends: bool) -> None:
        self._waiting_flushes += 1
        self._append(ends)

    def _append(self, item: bytes | bool | Exception) -> None:  # noqa: FBT001
        self._waiting.append(item)
        self._hold_back()
        self._changed.set()

    def _hold_back(self) -> None:
        """Leave with the sender what there is no room for."""
        if self._waiting_bytes > MOST_WAITING_BYTES or len(self._waiting) > MOST_WAITING_PIECES:
            self._room.clear()
        else:
            self._room.set()

    def clear(self) -> None:
        """Drop input behind the last flush that has no events yet."""
        while self._waiting and isinstance(last := self._waiting[-1], bytes):
            self._waiting_bytes -= len(last)
            self._waiting.pop()
        self._hold_back()
        if not self._waiting and not self._flushing:
            self._forgets = True

    def leave(self) -> None:
        """Cancel the work: the client has gone."""
        self._deadline.cancel()

    async def events(self) -> AsyncIterator[list[StreamEvent]]:
        """The events of each step, until the stream ends.

        Raises:
            ClientGoneError: after `leave`.
            Whatever the transcriber raises, or was given to `fail`.
        """
        ended = False
        while not ended:
            data, flush = await self._take()
            ended = flush is True
            before_s = self._transcriber.step_s
            self._forget_if_asked()
            self._flushing = flush is not None
            events: list[StreamEvent] = list(await self._hear(data, flush))
            self._flushing = False
            if self._forget_if_asked():  # while that was heard
                events.clear()
            if flush is not None:
                spoken = any(isinstance(event, Final) for event in events)
                events.append(Flushed(self._transcriber.received_s, spoken))
            self._keep_up()
            if self._transcriber.step_s != before_s:
                events.append(Pace(self._transcriber.step_s))
            yield events

    def _forget_if_asked(self) -> bool:
        asked, self._forgets = self._forgets, False
        if asked:
            self._transcriber.forget()
        return asked

    async def _take(self) -> tuple[bytes, bool | None]:
        """A step's bytes or more, up to a flush if there is one; and whether that is the end.

        Less than a step where there is no room for one, and of more than there is room for a part.
        """
        wanted = self._transcriber.step_s * self._bytes_per_s
        while self._waiting_bytes < wanted and not self._waiting_flushes and self._room.is_set():
            self._changed.clear()
            await self._changed.wait()
        pieces: list[bytes] = []
        missing = max(wanted, MOST_WAITING_BYTES)
        while self._waiting and missing > 0:
            item = self._waiting.popleft()
            if isinstance(item, bool):
                self._waiting_flushes -= 1
                return self._taken(pieces), item
            if isinstance(item, Exception):
                if not pieces:
                    raise item
                self._waiting.appendleft(item)  # after what came before it
                break
            pieces.append(item)
            missing -= len(item)
        return self._taken(pieces), None

    def _taken(self, pieces: list[bytes]) -> bytes:
        data = b"".join(pieces)
        self._waiting_bytes -= len(data)
        self._hold_back()
        return data

    async def _hear(self, data: bytes, flush: bool | None) -> list[Event]:  # noqa: FBT001
        with applies(self._deadline):
            while True:
                try:
                    with self._pool.place() as place:
                        return await place.run_steps(self._steps(data, flush))
                except QueueFullError:  # it was not begun
                    self._deadline.raise_if_over()
                    await asyncio.sleep(_RETRY_S)

    def _steps(self, data: bytes, flush: bool | None) -> Steps[list[Event]]:  # noqa: FBT001
        events = yield from self._transcriber.feed(self._pcm.feed(data))
        if flush:
            events += yield from self._transcriber.feed(self._pcm.flush())
        if flush is not None:
            events += yield from self._transcriber.flush()
        return events

    def _keep_up(self) -> None:
        """Hear it less often if more than a step waits, more often if next to nothing does."""
        step_s, waiting_s = self._transcriber.step_s, self._waiting_bytes / self._bytes_per_s
        if waiting_s > step_s:
            step_s = min(step_s * _SLOWER, max(MOST_STEP_S, self._base_s))
        elif waiting_s < step_s / _SLOWER**2:
            step_s = max(step_s / _SLOWER, self._base_s)
        self._transcriber.step_s = step_s
