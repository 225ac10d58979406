"""A model whose graph is run by a few threads, for one recording or window at a time each.

The threads that work for requests leave their features in a queue and wait, and since their number
is bounded the queue is, too. Several recordings in one run of the graph would gain the 8-bit model
nothing (docs/decisions/0011).
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager

import numpy as np

from otoscope import Posteriors, Recognizer
from otoscope.audio import Samples
from otoscope.cpus import lower_thread_priority
from otoscope.features import Features
from otoscope.posteriors import HeadLogProbs
from service.inference import deadline
from service.inference.deadline import Deadline
from service.inference.watched_threads import OnWait, WatchedThreads, unwatched


def model_threads(count: int, on_wait: OnWait = unwatched) -> WatchedThreads:
    """Threads to run the graph: so many CPUs are used, for a graph runs on one.

    Threads of requests go first: they have little to do, and what they hand over keeps these busy.
    """
    return WatchedThreads(count, "model", on_wait, lower_thread_priority)


class Stopwatch:
    """Adds up the seconds of each stage of one recording: in long audio a stage comes many times.

    Attributes:
        took_s: seconds by the stage's name.
    """

    def __init__(self) -> None:
        self.took_s: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the time spent inside."""
        started_s = time.perf_counter()
        try:
            yield
        finally:
            took_s = time.perf_counter() - started_s
            self.took_s[stage] = self.took_s.get(stage, 0.0) + took_s


class ThreadedModel:
    """A `FrameClassifier` for one recording; its stages are `features` and `model`."""

    def __init__(self, recognizer: Recognizer, threads: Executor, stopwatch: Stopwatch) -> None:
        """Have `threads` run the graph of `recognizer`; the wait for one of them counts as well."""
        self.spec = recognizer.spec
        self._recognizer = recognizer
        self._threads = threads
        self._stopwatch = stopwatch

    def features(self, samples: Samples) -> Features:
        deadline.raise_if_over()
        with self._stopwatch.timed("features"):
            return self._recognizer.features(samples)

    def run_heads(self, matrices: Sequence[Features]) -> list[HeadLogProbs]:
        """Posteriors of each matrix, (frames, bins) float32, as if it were alone.

        Raises:
            ClientGoneError, DeadlineError: if the request is over when its turn comes.
            RuntimeError: if the threads have ended.
        """
        request = deadline.current()
        with self._stopwatch.timed("model"):
            running = [self._threads.submit(self._run_one, each, request) for each in matrices]
            return [future.result() for future in running]

    def interpret(self, heads: HeadLogProbs, duration_s: float) -> Posteriors:
        return self._recognizer.interpret(heads, duration_s)

    def _run_one(self, matrix: Features, request: Deadline) -> HeadLogProbs:
        request.raise_if_over()
        lengths = np.array([matrix.shape[0]], dtype=np.int64)
        [heads] = self._recognizer.run_padded(matrix[np.newaxis], lengths)
        return heads
