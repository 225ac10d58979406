"""Recordings that arrive together go through the model together.

One run of the graph over several recordings costs less than a run for each: the recurrent layers
read their weights once a step for all of them. Threads that work for requests leave their features
here and sleep; a few threads of this module's own run the graph over batches of them.

A batch is begun for the recording that has waited longest and filled with others of similar
length, since padding costs as much as speech. When others are on their way, a thread that is free
waits for them a little; when a recording is alone, nothing waits, and all processors work for it.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from otoscope.features import Features
from otoscope.posteriors import HeadLogProbs
from service.inference import deadline
from service.inference.cpus import give_way
from service.inference.deadline import Deadline

logger = logging.getLogger(__name__)

LONGEST_TO_SHORTEST = 1.3
"""Recordings whose lengths differ by more don't share a batch."""


@dataclass(frozen=True)
class BatchOptions:
    """How batches are made.

    Attributes:
        workers: threads that run the graph, one batch each at a time.
        size: recordings in a batch at most; 1 makes no batches.
        wait_s: longest that a free thread waits for recordings that are on their way.
    """

    workers: int = 1
    size: int = 4
    wait_s: float = 0.005


@dataclass(frozen=True)
class Batched:
    """One run of the graph that is over.

    Attributes:
        items: recordings in it.
        waited_s: from the arrival of the first of them to its begin.
    """

    items: int
    waited_s: float


@dataclass(frozen=True)
class _Item:
    """X of one recording or window, and who waits for its posteriors."""

    matrix: Features
    lifetime: Deadline
    result: "Future[HeadLogProbs]" = field(default_factory=Future)
    arrived_s: float = field(default_factory=time.monotonic)

    @property
    def frames(self) -> int:
        frames: int = self.matrix.shape[0]
        return frames


RunGraph = Callable[[Sequence[Features]], list[HeadLogProbs]]
"""X of several recordings, (frames, bins) float32 each -> the posteriors of each."""


def _nobody() -> int:
    return 0


def _tell_nobody(_: Batched) -> None:
    """Nobody wants to know."""


class Batcher:
    """Threads around `run`, which takes several matrices at once."""

    def __init__(
        self,
        run: RunGraph,
        options: BatchOptions,
        *,
        run_alone: RunGraph | None = None,
        working: Callable[[], int] = _nobody,
        on_batch: Callable[[Batched], None] = _tell_nobody,
    ) -> None:
        """Start the threads.

        Args:
            run: runs the graph over a batch, (frames, bins) each; has to be thread-safe.
            options: how batches are made.
            run_alone: the same for a recording that has all threads for itself, with the same
                results; `run` by default.
            working: how many recordings are being worked on in all, those in here included:
                the others may be on their way.
            on_batch: told of each batch; has to be quick.
        """
        self._graph = run
        self._graph_alone = run_alone or run
        self._options = options
        self._working = working
        self._on_batch = on_batch
        self._waiting: list[_Item] = []
        self._callers = 0
        self._idle = 0
        self._closing = False
        self._changed = threading.Condition()
        self._gathering = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"model-{number}", daemon=True)
            for number in range(options.workers)
        ]
        for thread in self._threads:
            thread.start()

    def run_heads(self, matrices: Sequence[Features]) -> list[HeadLogProbs]:
        """Posteriors of each matrix, as `run` gives them; waits for its turn.

        Who calls is one thread of a bounded pool, so what waits here is bounded too.

        Raises:
            ClientGoneError, DeadlineError: if nobody needs them any more.
            RuntimeError: if the batcher is closed.
            Whatever `run` raises for one of these matrices, alone.
        """
        items = [_Item(matrix, deadline.current()) for matrix in matrices]
        with self._changed:
            if self._closing:
                raise RuntimeError("expected an open batcher, got a closed one")
            self._waiting += items
            self._callers += 1
            self._changed.notify_all()
        try:
            return [item.result.result() for item in items]
        finally:
            with self._changed:
                self._callers -= 1

    def close(self) -> None:
        """Finish what waits, then end the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        # Threads of requests have little to do, and what they hand over keeps the model busy.
        give_way()
        while (batch := self._next_batch()) is not None:
            if batch:
                self._run(batch)

    def _next_batch(self) -> list[_Item] | None:
        """Wait for work, and a little for its company; None when there will be no more."""
        with self._changed:
            self._idle += 1
        try:
            with self._gathering, self._changed:  # one thread at a time gathers
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return None
                self._changed.wait_for(self._is_enough, self._options.wait_s)
                return self._take()
        finally:
            with self._changed:
                self._idle -= 1

    def _is_enough(self) -> bool:
        """Whether waiting would bring nothing: all are here, or a batch for each idle thread."""
        all_here = self._working() <= self._callers
        full = len(self._waiting) >= self._options.size * self._idle
        return self._closing or self._options.size == 1 or all_here or full

    def _take(self) -> list[_Item]:
        """The oldest and, nearest in length, as many others as are this thread's share."""
        self._drop_ended()
        if not self._waiting:
            return []
        share = min(self._options.size, -(-len(self._waiting) // self._idle))
        oldest = self._waiting[0]

        def ratio(item: _Item) -> float:
            shorter, longer = sorted((item.frames, oldest.frames))
            return longer / max(1, shorter)

        similar = [item for item in self._waiting if ratio(item) <= LONGEST_TO_SHORTEST]
        batch = sorted(similar, key=ratio)[:share]  # stable: the oldest itself is the first
        taken = {id(item) for item in batch}
        self._waiting = [item for item in self._waiting if id(item) not in taken]
        return batch

    def _drop_ended(self) -> None:
        """Let go of those whose clients have left or whose time is over."""
        staying = []
        for item in self._waiting:
            reason = item.lifetime.ended()
            if reason is None:
                staying.append(item)
            else:
                item.result.set_exception(reason)
        self._waiting = staying

    def _run(self, batch: list[_Item]) -> None:
        waited_s = time.monotonic() - batch[0].arrived_s
        try:
            run = self._graph_alone if self._is_alone(batch) else self._graph
            heads = run([item.matrix for item in batch])
        except Exception as error:  # whatever it is, it reaches those who wait, and only them
            logger.exception("a batch of %d failed", len(batch))
            self._run_apart(batch, error)
            return
        for item, result in zip(batch, heads, strict=True):
            item.result.set_result(result)
        self._on_batch(Batched(len(batch), waited_s))

    def _is_alone(self, batch: list[_Item]) -> bool:
        """Whether it is all that there is to do: one recording, or the last window of one."""
        with self._changed:
            return len(batch) == 1 and not self._waiting and self._working() <= 1

    def _run_apart(self, batch: list[_Item], error: Exception) -> None:
        """One of the batch has made it fail: the others are to have their results."""
        if len(batch) == 1:
            batch[0].result.set_exception(error)
            return
        for item in batch:
            self._run([item])
