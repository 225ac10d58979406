"""Processes that decode what libsndfile doesn't, so that no file can hurt this one.

FFmpeg's libraries are large, and strangers choose what they read. Each file is decoded in a process
that holds nothing else (`otoscope.audio.decode_process`). One that dies, keeps still for too long
or is left before its file's end is killed, and the next file gets another; if the file was not to
blame, as where the system runs out of memory, it is begun again in another one. Nothing that it
sends can run here: JSON that is checked, and samples.
"""

import atexit
import io
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import islice
from typing import BinaryIO

from otoscope.audio.decode_messages import HEAD, part_of, sizes_of
from otoscope.audio.decoder_ends import (
    SILENT_S,
    DecoderFailureError,
    GarbledError,
    LostError,
    end_of,
    end_of_both,
)
from otoscope.audio.parts import THE_USUAL, Block, Choice, Opened, Remark, Waiting
from otoscope.errors import AudioError, DecodersBusyError
from otoscope.processes import LOOK_S, Check, ModuleProcess, no_check

START_S = 60.0
"""Longest that a process may take to start and load FFmpeg: half a second, on an idle machine."""

WAIT_S = 5.0
"""Longest wait for a process, where all are taken."""

_ATTEMPTS = 2
"""At a file, where it is not to blame for the first one's end."""


class DecodeProcesses:
    """Decodes files, each in a process of its own. Safe to call from several threads."""

    def __init__(self, most: int, kept: int = 1) -> None:
        """Start none yet.

        Args:
            most: files decoded at the same time; more wait, for WAIT_S at most.
            kept: processes that stay for the next files, ready at once.
        """
        self._places = threading.BoundedSemaphore(most)
        self._most, self._kept = most, kept
        self._idle: list[DecodeProcess] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start those that are kept, so that the first files find them ready."""
        for _ in range(self._kept - len(self._idle)):
            self._put_back(DecodeProcess())

    def close(self) -> None:
        """End those that wait for a file."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.kill()

    def decode(
        self,
        file: BinaryIO,
        check: Check = no_check,
        choice: Choice = THE_USUAL,
    ) -> Generator[Opened | Block | Remark, None, None]:
        """What is known of a file, then its blocks, as `otoscope.audio.ffmpeg.decode` gives them.

        Args:
            file: open for reading and seeking.
            check: called now and then; what it raises ends the decoding.
            choice: of its sounds.

        Raises:
            ChannelError: if it lacks the track or channel.
            UnreadableAudioError: if it holds no audio, or brought the process that decoded it down.
            DecoderFailureError: where the decoder fails.
            DecodersBusyError: if all processes are taken.
            DecoderLostError: if processes can't be started, or others ended two of them.
        """
        with _descriptor(file) as descriptor, self._place(check):
            request, given = bytes(choice), 0
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    process = self._take(fresh=attempt > 1)
                    with closing(self._attempt(process, descriptor, request, check)) as parts:
                        for part in islice(parts, given, None):
                            given += 1
                            yield part
                except (OSError, LostError) as error:
                    if attempt == _ATTEMPTS:
                        raise end_of_both(error) from error
                else:
                    return

    def _attempt(
        self, process: "DecodeProcess", descriptor: int, request: bytes, check: Check
    ) -> Generator[Opened | Block | Remark, None, None]:
        """`decode` in one process; LostError if that is lost, and the file may not be to blame."""
        whole = False
        try:
            process.send_descriptor(descriptor, request)
            yield from process.parts(check)
            whole = True
        except (AudioError, DecoderFailureError):
            whole = True  # it has said so itself, and waits for the next file
            raise
        except (GarbledError, EOFError, OSError) as error:
            raise end_of(error, process.exit_code_soon(), ready=process.ready) from error
        finally:
            if whole:
                self._put_back(process)
            else:
                process.kill()

    def borrow(self) -> "DecodeProcess":
        """One for a stream, until it is given back.

        Raises:
            DecodersBusyError: at once, if all are taken.
            OSError: if it can't be started.
        """
        if not self._places.acquire(blocking=False):
            raise DecodersBusyError(f"expected fewer than {self._most} streams, got one more")
        try:
            return self._take(fresh=False)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, process: "DecodeProcess", *, whole: bool) -> None:
        """Return a borrowed one; it is killed unless it has decoded its stream to the end."""
        self._places.release()
        if whole:
            self._put_back(process)
        else:
            process.kill()

    @contextmanager
    def _place(self, check: Check) -> Iterator[None]:
        end_s = time.monotonic() + WAIT_S
        while not self._places.acquire(timeout=LOOK_S):
            check()
            if time.monotonic() > end_s:
                raise DecodersBusyError(
                    f"expected fewer than {self._most} files at a time that FFmpeg reads (mp3, "
                    "m4a, webm and others than wav, flac and ogg), got one more"
                )
        try:
            yield
        finally:
            self._places.release()

    def _take(self, *, fresh: bool) -> "DecodeProcess":
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle and not fresh else None
            if process is None:
                return DecodeProcess()
            if process.exit_code() is None:
                return process
            process.kill()

    def _put_back(self, process: "DecodeProcess") -> None:
        with self._lock:
            if len(self._idle) < self._kept:
                self._idle.append(process)
                return
        process.kill()


class DecodeProcess(ModuleProcess):
    """One process, used for one file or stream at a time."""

    def __init__(self) -> None:
        """Start it; OSError if that can't be done."""
        super().__init__("otoscope.audio.decode_process")
        self.ready = False

    def parts(self, check: Check) -> Iterator[Opened | Block | Remark]:
        """What it sends about the file; raises as `DecodeProcesses.decode`, and if it is lost."""
        if not self.ready:
            self.receive(HEAD.size, check, START_S)
            self.ready = True
        while True:
            text_bytes, sample_bytes = sizes_of(self.receive(HEAD.size, check, SILENT_S))
            text = self.receive(text_bytes, check, SILENT_S)
            part = part_of(text, self.receive(sample_bytes, check, SILENT_S))
            if part is None:
                return
            assert not isinstance(part, Waiting)  # noqa: S101 - only streams wait
            yield part


@cache
def _of(_process_id: int) -> DecodeProcesses:
    processes = DecodeProcesses(most=2 * (os.cpu_count() or 1))
    atexit.register(processes.close)
    return processes


def shared() -> DecodeProcesses:
    """Those of this process, for callers that have none of their own; a fork has others."""
    return _of(os.getpid())


@contextmanager
def _descriptor(file: BinaryIO) -> Iterator[int]:
    """That of `file`, or of a nameless copy if it lies in memory or is no plain file."""
    spooled = isinstance(file, tempfile.SpooledTemporaryFile)
    if (spooled and file.name is not None) or isinstance(getattr(file, "raw", None), io.FileIO):
        file.seek(0)  # which writes what is buffered
        yield file.fileno()
        return
    with _nameless_copy() as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy)
        copy.flush()
        yield copy.fileno()


def _nameless_copy() -> BinaryIO:
    """In memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("audio"), "w+b")
    return tempfile.TemporaryFile()
