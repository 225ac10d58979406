"""How long the stages of one recording take, seen from outside the library.

Long audio is decoded, cut and run window by window, so a stage comes many times and its parts add
up. What the library is given, blocks and a model, is what can be timed here.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from otoscope import Posteriors
from otoscope.audio import Samples
from otoscope.features import Features
from otoscope.longform import AcousticModel
from otoscope.posteriors import HeadLogProbs

RunHeads = Callable[[Sequence[Features]], list[HeadLogProbs]]
"""X of several recordings, (frames, bins) each -> their posteriors."""


class Stopwatch:
    """Adds up the seconds of each stage of one recording.

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


class TimedBlocks:
    """Blocks of audio; the time they are waited for is `decode`."""

    def __init__(self, blocks: Iterable[Samples], stopwatch: Stopwatch) -> None:
        self._blocks = blocks
        self._stopwatch = stopwatch

    def __iter__(self) -> Iterator[Samples]:
        """The blocks as they are; what they raise passes."""
        blocks = iter(self._blocks)
        while True:
            with self._stopwatch.timed("decode"):
                block = next(blocks, None)
            if block is None:
                return
            yield block


class TimedModel:
    """An acoustic model whose work is `features` and `model`, the wait for a batch included."""

    def __init__(self, model: AcousticModel, run_heads: RunHeads, stopwatch: Stopwatch) -> None:
        """Time `model`, with `run_heads` in place of its own."""
        self.spec = model.spec
        self._model = model
        self._run_heads = run_heads
        self._stopwatch = stopwatch

    def features(self, samples: Samples) -> Features:
        """The model's."""
        with self._stopwatch.timed("features"):
            return self._model.features(samples)

    def run_heads(self, matrices: Sequence[Features]) -> list[HeadLogProbs]:
        """What `run_heads` gives."""
        with self._stopwatch.timed("model"):
            return self._run_heads(matrices)

    def interpret(self, heads: HeadLogProbs, duration_s: float) -> Posteriors:
        """The model's, which only names things."""
        return self._model.interpret(heads, duration_s)
