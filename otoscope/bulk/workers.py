"""Parallel transcription: a thread for each process, and processes with a model each.

Decoding is Python code, of which a process runs one thread at a time.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from queue import LifoQueue
from typing import Any, Self, TypeVar

from otoscope.bulk import worker
from otoscope.bulk.worker import Outcome
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError, WorkerLostError
from otoscope.job_processes import LOST, JobProcess
from otoscope.local_model import Recording
from otoscope.schemas import TranscriptAnswer
from otoscope.transcript import Style

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_ATTEMPTS = 2
"""Attempts at a recording whose process dies."""


class _ClosingError(OtoscopeError):
    """The workers are being closed."""


class Workers:
    """Processes with a model each, called from as many threads.

    Attributes:
        processor_s: CPU seconds used for recordings.
    """

    def __init__(self, count: int, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        """Start the first process; the others start when needed.

        Args:
            count: number of processes.
            *arguments: of `LocalModel`.
            **named: likewise.

        Raises:
            OtoscopeError, OSError: if it can't be started.
        """
        self.processor_s = 0.0
        self._common = arguments, named
        self._count, self._closing = count, False
        self._lock = threading.Lock()
        self._places: LifoQueue[JobProcess | None] = LifoQueue()
        for _ in range(count - 1):
            self._places.put(None)
        self._places.put(JobProcess(worker.__name__, self._common))

    def transcribe(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        """`LocalModel.transcribe` in one of the processes.

        Raises:
            WorkerLostError: if the process dies, and another one too.
            Whatever `LocalModel.transcribe` raises.
        """
        for _ in range(_ATTEMPTS):
            self._check()
            process = self._places.get()
            try:
                process = process or JobProcess(worker.__name__, self._common)
                outcome, took_s = process.run((recording, options, style), self._check)
            except LOST:
                process = None  # killed by `run`
                continue
            except BaseException:
                process = None
                raise
            finally:
                self._places.put(process)
            with self._lock:
                self.processor_s += took_s
            return _answer(outcome)
        raise WorkerLostError(
            "expected a text, but the process that recognized this recording died, and another "
            "one too: is there enough memory for --jobs of them?"
        )

    def _check(self) -> None:
        if self._closing:
            raise _ClosingError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        processes = [self._places.get() for _ in range(self._count)]
        for process in processes:
            if process is not None:
                process.close()
            self._places.put(None)


def _answer(outcome: Outcome) -> TranscriptAnswer:
    match outcome:
        case OtoscopeError() | OSError():
            raise outcome
        case str():
            raise RuntimeError(f"a worker failed:\n{outcome}")
        case answer:
            return answer


def side_by_side(
    work: Callable[[ItemT], ResultT], items: Sequence[ItemT], jobs: int, *, in_order: bool
) -> Iterator[tuple[ItemT, ResultT]]:
    """The result of `work` for each item, `jobs` of them at a time.

    Args:
        work: called from `jobs` threads, or from this one if `jobs` is 1.
        items: its arguments.
        jobs: number of threads.
        in_order: whether results are in the order of the items, not as they are finished.
    """
    if jobs == 1:
        yield from ((item, work(item)) for item in items)
        return
    pool = ThreadPoolExecutor(jobs, "recordings")
    try:
        futures = {pool.submit(work, item): item for item in items}
        for future in list(futures) if in_order else as_completed(list(futures)):
            yield futures.pop(future), future.result()
    finally:  # running calls end when the workers or the client are closed
        pool.shutdown(wait=False, cancel_futures=True)
