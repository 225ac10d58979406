"""Decoding of a compressed stream as it arrives: bytes of WebM or Ogg in, samples out.

The bytes are not trusted, so they are decoded in a separate process
(`otoscope.audio.decode_processes`). Buffers are bounded: `put` waits until the process has read its
bytes, and the process reads no more until its samples are consumed.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Literal, TypeAlias, get_args

from otoscope.audio.decode_messages import HEAD, part_of, sizes_of
from otoscope.audio.decode_processes import START_S, DecodeProcess, DecodeProcesses
from otoscope.audio.decoder_ends import (
    SILENT_S,
    DecoderFailureError,
    GarbledError,
    LostError,
    end_of,
)
from otoscope.audio.parts import (
    THE_USUAL,
    Block,
    Opened,
    Remark,
    Samples,
    Waiting,
    check_rate,
)
from otoscope.audio.stream import Resampler, check_finite
from otoscope.errors import AudioError, DecoderLostError, UnreadableAudioError

ContainerName: TypeAlias = Literal["webm", "ogg"]
"""Containers of a stream, which are detected by their bytes."""

CONTAINER_NAMES: tuple[ContainerName, ...] = get_args(ContainerName)


class StreamDecoder:
    """One stream, in one event loop."""

    def __init__(self, processes: DecodeProcesses, to_hz: int) -> None:
        """No process is started yet.

        Args:
            processes: one of them decodes the stream.
            to_hz: rate of the samples.
        """
        self._processes, self._to_hz = processes, to_hz
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)  # noqa: FBT003 - its only argument
        self._put_bytes = self._read_bytes = 0
        self._changed = asyncio.Event()
        self._over = self._putting = False

    async def put(self, data: bytes) -> None:
        """Add bytes of the stream, once there is room; errors are raised by `samples`."""
        self._put_bytes += len(data)
        self._putting = True
        try:
            await asyncio.get_running_loop().sock_sendall(self._ours, data)
        except OSError:  # the process has gone, or has read the stream's end
            return
        finally:
            self._putting = False
            self._close_if_over()

    async def drained(self) -> None:
        """Wait until everything that was put in is decoded and consumed."""
        while not (self._idle() or self._over):
            self._changed.clear()
            await self._changed.wait()

    def end(self) -> None:
        """End the input."""
        if not self._over:
            self._ours.shutdown(socket.SHUT_WR)

    async def samples(self) -> AsyncIterator[Samples]:
        """Decoded samples, (samples,) float32 in [-1, 1], until the stream ends; to be used once.

        Raises:
            UnreadableAudioError: if it is no such stream, is damaged beyond repair, or has crashed
                its decoding process.
            AudioRateError, NonFiniteAudioError: if its samples can't be used.
            DecodersBusyError: if all processes are taken.
            DecoderLostError: if the process was lost, or could not be started.
        """
        try:
            process = await self._borrowed()
        except BaseException:
            self.close()
            raise
        whole = False
        try:
            async for samples in self._resampled(process):
                yield samples
            whole = True
        except DecoderFailureError as error:
            raise UnreadableAudioError(
                f"the stream can't be decoded any further: {error}"
            ) from error
        except (GarbledError, EOFError, OSError) as error:
            raise await _end_of(error, process) from error
        finally:
            self._processes.give_back(process, whole=whole)
            self.close()

    async def _borrowed(self) -> DecodeProcess:
        """A process; one that comes when nobody waits for it any more is given back."""
        borrowing: Future[DecodeProcess] = Future()
        try:
            await asyncio.to_thread(lambda: borrowing.set_result(self._processes.borrow()))
        except OSError as error:
            raise DecoderLostError(f"expected a process that decodes, got {error}") from error
        except asyncio.CancelledError:
            borrowing.add_done_callback(self._give_back_unused)
            raise
        return borrowing.result()

    def _give_back_unused(self, borrowing: Future[DecodeProcess]) -> None:
        self._processes.give_back(borrowing.result(), whole=True)

    def _idle(self) -> bool:
        return self._read_bytes >= self._put_bytes

    def close(self) -> None:
        """Free the sockets if `samples` was never used; otherwise it does so in the end."""
        self._over = True
        self._changed.set()
        self._theirs.close()
        self._close_if_over()

    def _close_if_over(self) -> None:
        """Not while it is written to: `sock_sendall` would wait for ever."""
        if self._over and not self._putting:
            self._ours.close()

    async def _resampled(self, process: DecodeProcess) -> AsyncIterator[Samples]:
        resampler, rate_hz, taken = Resampler(self._to_hz, self._to_hz), self._to_hz, 0
        async for block in self._blocks(process):
            if block.rate_hz != rate_hz:
                check_rate(block.rate_hz)
                yield resampler.flush()
                rate_hz = block.rate_hz
                resampler = Resampler(rate_hz, self._to_hz)
            check_finite(block.samples, taken)
            taken += block.samples.size
            yield resampler.feed(block.samples)
        yield resampler.flush()

    async def _blocks(self, process: DecodeProcess) -> AsyncIterator[Block]:
        process.send_descriptor(self._theirs.fileno(), bytes(THE_USUAL))
        self._theirs.close()
        if not process.ready:
            await process.receive_soon(HEAD.size, START_S)
            process.ready = True
        while (part := await self._part(process)) is not None:
            if isinstance(part, Block):
                yield part
            elif isinstance(part, Waiting):
                self._read_bytes = part.read_bytes
                self._changed.set()

    async def _part(self, process: DecodeProcess) -> Opened | Block | Remark | Waiting | None:
        head = await process.receive_soon(HEAD.size, SILENT_S, self._idle)
        text_bytes, sample_bytes = sizes_of(head)
        text = await process.receive_soon(text_bytes, SILENT_S)
        return part_of(text, await process.receive_soon(sample_bytes, SILENT_S))


async def _end_of(error: Exception, process: DecodeProcess) -> AudioError | DecoderLostError:
    """The error of a stream whose process is lost; it can't be decoded again."""
    code = await asyncio.to_thread(process.exit_code_soon)
    end = end_of(error, code, ready=process.ready)
    if isinstance(end, LostError):
        return DecoderLostError(f"expected a process that decodes the stream, but it {end}")
    return end
