"""Decode workers: processes for beam search, which would hold the server's interpreter lock.

Beam search is Python that calls numpy for small arrays: two searches in one process take as long as
one after the other, and the event loop and the threads that compute features wait for both. So a
few decode workers search, each for one recording at a time. They hold a copy of the `Decoder`, but
neither the model nor the web framework.

A worker that dies is replaced when its turn comes again. They end with the server, however it
ends, for none of them outlives the pipe that it reads from.
"""

import logging
import pickle
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from queue import Queue

from otoscope import Posteriors
from otoscope.decoding.decoder import Decoder, DecodeResult
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError
from otoscope.processes import start_module
from service.errors import SearchLostError
from service.inference import deadline, decode_worker

LONG_S = 60.0
"""Longer recordings would keep others waiting for many seconds."""

_ATTEMPTS = 2
_END_LIMIT_S = 10.0
"""A worker that takes longer to end is killed."""

Stage = Callable[[], AbstractContextManager[None]]

logger = logging.getLogger(__name__)


class DecodeWorkers:
    """Decodes posteriors, in other processes where that takes time. Safe to call from threads."""

    def __init__(self, decoder: Decoder, count: int, stage: Stage = nullcontext) -> None:
        """Start none yet.

        Args:
            decoder: what they decode with.
            count: how many workers; with 0, recordings are decoded here, one at a time.
            stage: entered while a recording is decoded; waiting for a turn does not count.
        """
        self._decoder = decoder
        self._count = count
        self._stage = stage
        self._free: Queue[_Worker | None] = Queue()
        for _ in range(count):
            self._free.put(None)  # its process is started when its turn comes
        self._starting: threading.Thread | None = None
        self._turn = threading.Lock()
        self._long = threading.Semaphore(max(0, count - 1))

    def start(self) -> None:
        """Start the workers in the background, so that the first recordings find them ready."""
        self._starting = threading.Thread(target=self._start_all, name="decoders", daemon=True)
        self._starting.start()

    def decode(self, posteriors: Posteriors, options: DecodingOptions) -> DecodeResult:
        """`Decoder.decode`, here or in a worker.

        Raises:
            SearchLostError: if a worker died with this recording, and another one too.
            ClientGoneError, DeadlineError: if the request is over when its turn comes.
            Whatever `Decoder.decode` raises.
        """
        long = posteriors.clock.duration_s > LONG_S
        greedy = self._decoder.kind_of(options) == "greedy"  # which takes next to no time
        with nullcontext(enter_result=False) if greedy else self._place(long=long) as elsewhere:
            if not elsewhere:
                with self._stage():
                    return self._decoder.decode(posteriors, options)
            for _ in range(_ATTEMPTS):
                worker = self._free.get()
                try:
                    deadline.current().raise_if_over()
                    worker = self._alive(worker)
                    with self._stage():
                        return worker.run((posteriors, options))
                except (OSError, EOFError, pickle.UnpicklingError) as error:
                    logger.warning("a decode worker was lost with a recording: %r", error)
                finally:
                    self._free.put(worker)
        raise SearchLostError(
            "expected a text, but the process that searched for it died, and another one too; "
            f"try again in {SearchLostError.retry_after_s} s"
        )

    def close(self) -> None:
        """End the workers, once nothing is decoded any more."""
        if self._starting is not None:
            self._starting.join()
        for _ in range(self._count):
            if (worker := self._free.get()) is not None:
                worker.close()
            self._free.put(None)

    @contextmanager
    def _place(self, *, long: bool) -> Iterator[bool]:
        """Whether a worker decodes; if not, this process does as soon as the place is taken.

        One worker is left to short recordings, and nothing waits for the end of a long one.
        """
        if not self._count:
            with nullcontext() if long else self._turn:
                yield False
        elif not long:
            yield True
        elif self._long.acquire(blocking=False):
            try:
                yield True
            finally:
                self._long.release()
        else:
            yield False

    def _start_all(self) -> None:
        for _ in range(self._count):
            worker = self._free.get()
            try:
                worker = self._alive(worker)
            except OSError:
                logger.exception("a decode worker can't start; the next request tries")
            finally:
                self._free.put(worker)

    def _alive(self, worker: "_Worker | None") -> "_Worker":
        """`worker`, or a new one if there is none or it has died; OSError if that can't start."""
        if worker is not None and (code := worker.exit_code()) is not None:
            logger.warning("a decode worker ended with %d: another replaces it", code)
            worker.close()
            worker = None
        return worker or _Worker(self._decoder)


class _Worker:
    """One process, used by one thread at a time."""

    def __init__(self, decoder: Decoder) -> None:
        """Start it, and send it `decoder`; OSError if that can't be done."""
        self._process = start_module(
            decode_worker.__name__, stdin=subprocess.PIPE, stdout=subprocess.PIPE
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
        """None while it is alive."""
        return self._process.poll()

    def run(self, job: decode_worker.Job) -> DecodeResult:
        """What it decodes; OSError, EOFError or UnpicklingError if it dies instead, and has ended.

        Raises:
            OtoscopeError: as `Decoder.decode` does.
            RuntimeError: with the traceback of an unexpected error.
        """
        try:
            self._send(job)
            outcome: decode_worker.Outcome = pickle.load(self._from)  # noqa: S301 - our own process
        except BaseException:  # half of something may be in the pipes
            self.close()
            raise
        match outcome:
            case DecodeResult():
                return outcome
            case OtoscopeError():
                raise outcome
            case unexpected:
                raise RuntimeError(f"a decode worker failed:\n{unexpected}")

    def close(self) -> None:
        """End it, if it has not ended yet."""
        with suppress(OSError):  # of what could not be sent
            self._to.close()
        self._from.close()
        try:
            self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: Decoder | decode_worker.Job) -> None:
        pickle.dump(message, self._to)
        self._to.flush()
