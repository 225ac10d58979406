"""Processes for beam search, which would hold the interpreter's lock of the server.

Beam search is Python that calls numpy for small arrays: two in one process don't go faster than one
after the other, and the event loop and the threads that compute features wait for both. So a few
processes search, each for one recording at a time; whoever comes besides waits for the next that is
free. They hold a copy of the `Decoder`, and neither the model nor the web framework.

A process that dies is replaced when its turn comes again. They end with the server, however it
ends: none of them outlives the pipe that it reads from.
"""

import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from queue import Queue

from otoscope import Posteriors
from otoscope.decoding.decoder import Decoder, DecodeResult
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError
from service.errors import SearchLostError
from service.inference import deadline, decode_worker

LONG_S = 60.0
"""Longer recordings would keep a process, or the lane, for many seconds."""

_ATTEMPTS = 2
_BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PATIENCE_S = 10.0
"""For the end of a process that was told to end."""

Stage = Callable[[], AbstractContextManager[None]]

logger = logging.getLogger(__name__)


class DecodeWorkers:
    """Reads posteriors, in other processes where that takes time. Safe to share between threads."""

    def __init__(self, decoder: Decoder, processes: int, stage: Stage = nullcontext) -> None:
        """Start none yet.

        Args:
            decoder: what they decode with.
            processes: how many search; with 0, recordings take turns in this process.
            stage: entered while a recording is read; the wait for a turn does not count.
        """
        self._decoder = decoder
        self._processes = processes
        self._stage = stage
        self._free: Queue[_Searcher | None] = Queue()
        for _ in range(processes):
            self._free.put(None)  # its process is started when its turn comes
        self._starting: threading.Thread | None = None
        self._lane = threading.Lock()
        self._long = threading.Semaphore(max(0, processes - 1))

    def start(self) -> None:
        """Start the processes in the background, so that the first recordings find them ready."""
        self._starting = threading.Thread(target=self._start_all, name="searchers", daemon=True)
        self._starting.start()

    def decode(self, posteriors: Posteriors, options: DecodingOptions) -> DecodeResult:
        """`Decoder.decode`, here or in another process.

        Raises:
            SearchLostError: if a process died with this recording, and another one too.
            ClientGoneError, DeadlineError: if nobody needs it any more when its turn comes.
            What `Decoder.decode` raises.
        """
        long = posteriors.clock.duration_s > LONG_S
        if self._decoder.kind_of(options) == "greedy":
            return self._decode_here(posteriors, options)
        if not self._processes:
            with nullcontext() if long else self._lane:
                return self._decode_here(posteriors, options)
        if not long:
            return self._decode_there(posteriors, options)
        # One process is left to short recordings, and nobody waits for the end of a long one.
        if not self._long.acquire(blocking=False):
            return self._decode_here(posteriors, options)
        try:
            return self._decode_there(posteriors, options)
        finally:
            self._long.release()

    def close(self) -> None:
        """End the processes, once nobody asks any more."""
        if self._starting is not None:
            self._starting.join()
        for _ in range(self._processes):
            if (searcher := self._free.get()) is not None:
                searcher.close()
            self._free.put(None)

    def _start_all(self) -> None:
        for _ in range(self._processes):
            searcher = self._free.get()
            try:
                searcher = self._alive(searcher)
            except OSError:
                logger.exception("a process for beam search can't start; the next request tries")
            finally:
                self._free.put(searcher)

    def _alive(self, searcher: "_Searcher | None") -> "_Searcher":
        """`searcher`, or a new one if there is none or it has died; OSError if that can't start."""
        if searcher is not None and (code := searcher.exit_code()) is not None:
            logger.warning("a process for beam search ended with %d: another replaces it", code)
            searcher.close()
            searcher = None
        return searcher or _Searcher(self._decoder)

    def _decode_here(self, posteriors: Posteriors, options: DecodingOptions) -> DecodeResult:
        with self._stage():
            return self._decoder.decode(posteriors, options)

    def _decode_there(self, posteriors: Posteriors, options: DecodingOptions) -> DecodeResult:
        order = posteriors, _plain(options)
        for _ in range(_ATTEMPTS):
            searcher = self._free.get()
            try:
                deadline.current().check()
                searcher = self._alive(searcher)
                with self._stage():
                    return _outcome(searcher.ask(order))
            except (OSError, EOFError, pickle.UnpicklingError) as error:
                logger.warning("a process for beam search was lost with a recording: %r", error)
            finally:
                self._free.put(searcher)
        raise SearchLostError(
            "expected a text, but the process that searched for it died, and another one too; "
            f"try again in {SearchLostError.retry_after_s} s"
        )


class _Searcher:
    """One process, for one thread at a time."""

    def __init__(self, decoder: Decoder) -> None:
        """Start it, and send it `decoder`; OSError if that can't be done."""
        # The same modules as here, one thread each, and no signals from the server's terminal.
        self._process = subprocess.Popen(  # noqa: S603 - this Python, and a module of this package
            [sys.executable, "-P", "-m", decode_worker.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={
                **os.environ,
                **dict.fromkeys(_BLAS_THREADS, "1"),
                "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
            },
        )
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin, self._process.stdout
        try:
            self._send(decoder)
        except BaseException:
            self.close()
            raise

    def exit_code(self) -> int | None:
        """None while it lives."""
        return self._process.poll()

    def ask(self, order: decode_worker.Order) -> decode_worker.Answer:
        """Its answer; OSError, EOFError or UnpicklingError if it dies instead, and has ended."""
        try:
            self._send(order)
            answer: decode_worker.Answer = pickle.load(self._from)  # noqa: S301 - our own process's
        except BaseException:  # half of something may be in the pipes
            self.close()
            raise
        return answer

    def close(self) -> None:
        """End it, if it has not ended yet."""
        with suppress(OSError):  # of what could not be sent
            self._to.close()
        self._from.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: Decoder | decode_worker.Order) -> None:
        pickle.dump(message, self._to)
        self._to.flush()


def _plain(options: DecodingOptions) -> DecodingOptions:
    """`options` without what a route adds to them, whose modules the processes don't load."""
    fields = {name: getattr(options, name) for name in DecodingOptions.model_fields}
    return DecodingOptions.model_construct(**fields)


def _outcome(answer: decode_worker.Answer) -> DecodeResult:
    match answer:
        case DecodeResult():
            return answer
        case OtoscopeError():
            raise answer
        case traceback:
            raise RuntimeError(f"a process for beam search failed:\n{traceback}")
