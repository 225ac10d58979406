"""Decode workers: processes for beam search, which would hold the server's interpreter lock.

Beam search is Python that calls numpy for small arrays: two searches in one process take as long as
one after the other, and the event loop and the threads that compute features wait for both. So a
few decode workers search, and align long recordings, each for one recording at a time. They hold a
copy of the `Decoder`, but neither the model nor the web framework.

A worker that dies or keeps still is replaced, and so is one whose answer nobody waits for any more.
They end with the server, however it ends.
"""

import contextvars
import logging
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from otoscope import AlignedText, Posteriors, align
from otoscope.decoding.decoder import Decoder, DecodeResult
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError
from otoscope.job_processes import LOST, JobProcess
from service.errors import ClientGoneError, DeadlineError, SearchLostError
from service.inference import deadline, decode_worker
from service.inference.decode_worker import Job, Outcome
from service.inference.watched_threads import OnWait, WatchedThreads, unwatched

LONG_S = 60.0
"""Longer recordings would keep others waiting for many seconds."""

_ATTEMPTS = 2

Stage = Callable[[], AbstractContextManager[None]]

logger = logging.getLogger(__name__)


class DecodeWorkers:
    """Decodes and aligns posteriors, in other processes where that takes time.

    What waits for a worker waits in a queue, and keeps no thread of others.
    """

    def __init__(
        self,
        decoder: Decoder,
        count: int,
        stage: Stage = nullcontext,
        on_wait: OnWait = unwatched,
    ) -> None:
        """Start none yet.

        Args:
            decoder: what they decode with.
            count: how many workers; with 0, recordings are decoded here, one at a time. Long ones
                have one place fewer, but at least one, and processes of their own.
            stage: entered while a recording is decoded; waiting for a turn does not count.
            on_wait: called with the seconds that each recording waited for a worker.
        """
        self._decoder = decoder
        self._count = count
        self._stage = stage
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._closing = False
        self._short = WatchedThreads(max(1, count), "decoders", on_wait)
        self._long = WatchedThreads(max(1, count - 1), "long-decoders", on_wait)

    def start(self) -> None:
        """Start the workers in the background, so that the first recordings find them ready."""
        for _ in range(self._count):
            self._short.submit(self._start_one)

    def decode(
        self, posteriors: Posteriors, options: DecodingOptions
    ) -> Generator[Future[Any], None, DecodeResult]:
        """`Decoder.decode`, here or in a worker: a step for `RequestPool.run_steps`.

        Raises:
            SearchLostError: if a worker died with this recording, and another one too.
            ClientGoneError, DeadlineError: if the request is over before its answer.
            Whatever `Decoder.decode` raises.
        """
        if self._decoder.kind_of(options) == "greedy":  # which takes next to no time
            with self._stage():
                return self._decoder.decode(posteriors, options)
        found = self.submit((posteriors, options))
        yield found
        decoded: DecodeResult = found.result()
        return decoded

    def align(self, posteriors: Posteriors, text: str) -> Generator[Future[Any], None, AlignedText]:
        """`otoscope.align`, in a worker if it takes long; steps and errors as `decode`'s."""
        if posteriors.clock.duration_s <= LONG_S:
            return align(posteriors, text)
        waiting = self.submit((posteriors, text))
        yield waiting
        aligned: AlignedText = waiting.result()
        return aligned

    def submit(self, job: Job) -> Future[Any]:
        """Have a job done when its turn comes; what comes of it, or an error as of `decode`."""
        long = job[0].clock.duration_s > LONG_S
        context = contextvars.copy_context()
        executor = self._long if long else self._short
        return executor.submit(context.run, self._work, job, long)

    def close(self) -> None:
        """End the workers, and what they still work on."""
        self._closing = True
        for executor in (self._short, self._long):
            executor.shutdown(wait=True, cancel_futures=True)
        for worker in self._idle:
            worker.close()
        self._idle.clear()

    def _work(self, job: Job, long: bool) -> DecodeResult | AlignedText:  # noqa: FBT001
        """Do a job in this thread, which has a worker to itself."""
        request = deadline.current()
        request.raise_if_over()
        if not self._count:
            with self._stage():
                return decode_worker.way_of(self._decoder, job)(*job)
        for _ in range(_ATTEMPTS):
            try:
                worker = _Worker(self._decoder) if long else self._take()
                with self._stage():
                    outcome: Outcome = worker.run(job, self._check)
            except LOST as error:
                logger.warning("a decode worker was lost with a recording: %r", error)
                continue
            except (ClientGoneError, DeadlineError):
                logger.info("a decode worker was ended: nobody waits for its answer")
                raise
            self._put_back(worker, stays=not long)
            return _answer(outcome)
        raise SearchLostError(
            "expected a text, but the process that searched for it died, and another one too; "
            f"try again in {SearchLostError.retry_after_s} s"
        )

    def _check(self) -> None:
        if self._closing:
            raise DeadlineError("expected to answer, and the service ends")
        deadline.raise_if_over()

    def _start_one(self) -> None:
        try:
            worker = _Worker(self._decoder)
        except (OSError, EOFError):
            logger.exception("a decode worker can't start; the next request tries")
        else:
            self._put_back(worker, stays=True)

    def _take(self) -> "_Worker":
        """One that waits, or a new one; OSError if that can't start."""
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                return _Worker(self._decoder)
            if (code := worker.exit_code()) is None:
                return worker
            logger.warning("a decode worker ended with %d: another replaces it", code)
            worker.close()

    def _put_back(self, worker: "_Worker", *, stays: bool) -> None:
        with self._lock:
            if stays and len(self._idle) < self._count:
                self._idle.append(worker)
                return
        worker.close()


class _Worker(JobProcess):
    """One process, used by one thread at a time."""

    def __init__(self, decoder: Decoder) -> None:
        """Start it, and send it `decoder`; OSError or EOFError if that can't be done."""
        super().__init__(decode_worker.__name__, decoder)


def _answer(outcome: Outcome) -> DecodeResult | AlignedText:
    match outcome:
        case OtoscopeError():
            raise outcome
        case str():
            raise RuntimeError(f"a decode worker failed:\n{outcome}")
        case found:
            return found
