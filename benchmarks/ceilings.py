"""What there is to reach: the graph without a service, and a peer."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.clips import Clip, Speech
from otoscope import Recognizer, load
from training.evaluation.peers import pocketsphinx

_BATCH_SIZES = (1, 2, 4, 8, 16)
_LEAST_S = 2.0
_LEAST_RUNS = 3
_SUSTAINED_S = 4.0


class RawGraph:
    """The graph on the recordings of the load test, without a service.

    They are sorted by length, so that no batch is padded much; the longest first, so that no
    processor is left with one in the end.

    Attributes:
        rows: what it attains in batches of each size and by each way to use processors.
    """

    def __init__(self, model: Path, speech: Speech, durations_s: Sequence[float]) -> None:
        """Measure all ways there are."""
        processors = os.cpu_count() or 1
        together = Recognizer(model, threads=processors)
        apart = Recognizer(model, threads=1)
        self._audio_s = sum(durations_s)
        self._matrices = sorted(
            (together.features(speech.cut(duration_s)) for duration_s in durations_s),
            key=len,
            reverse=True,
        )
        ways = [
            way
            for size in ((1,) if apart.quantized else _BATCH_SIZES)  # there recordings go alone
            for way in (
                _Way("one batch on all processors", size, together, 1),
                _Way("a batch on each processor", size, apart, processors),
            )
        ]
        speeds = {way: self._speed(way) for way in ways}
        self.rows = [
            {"how": way.name, "batch": way.size, "audio_s_per_s": speed}
            for way, speed in speeds.items()
        ]
        alone = [way for way in ways if way.size == 1]  # as the service runs it
        self._best = max(alone, key=speeds.__getitem__)

    def sustained(self) -> float:
        """Audio s per s by the best way without batches, over some seconds."""
        way, passes, started_s = self._best, 0, time.perf_counter()
        with ThreadPoolExecutor(way.threads) as pool:
            while (took_s := time.perf_counter() - started_s) < _SUSTAINED_S:
                list(pool.map(way.model.run_heads, self._batches(way)))
                passes += 1
        return passes * self._audio_s / took_s

    def _speed(self, way: "_Way") -> float:
        batches = self._batches(way)
        with ThreadPoolExecutor(way.threads) as pool:
            took_s = best_s(lambda: list(pool.map(way.model.run_heads, batches)))
        return self._audio_s / took_s

    def _batches(self, way: "_Way") -> list[list[np.ndarray]]:
        size, matrices = way.size, self._matrices
        return [matrices[start : start + size] for start in range(0, len(matrices), size)]


class _Way(NamedTuple):
    """How the graph is run: `threads` batches of `size` recordings at a time."""

    name: str
    size: int
    model: Recognizer
    threads: int


class PocketSphinx:
    """PocketSphinx with its own model and trigram, on one processor, on a few clips."""

    def __init__(self, model: Path, clips: Sequence[Clip]) -> None:
        recognizer = Recognizer(model)
        self._recognize = pocketsphinx(recognizer.spec.alphabet)
        self._audio_s = sum(clip.duration_s for clip in clips)
        rate_hz = recognizer.spec.features.sample_rate_hz
        self._recordings = [load(clip.data, rate_hz).samples for clip in clips]
        self._recognize(self._recordings[0])  # warm

    def speed(self) -> float:
        """Audio s per s, measured once more."""
        started_s = time.perf_counter()
        for samples in self._recordings:
            self._recognize(samples)
        return self._audio_s / (time.perf_counter() - started_s)


def best_s(work: Callable[[], object]) -> float:
    """Least seconds of several runs."""
    work()  # warm
    times_s: list[float] = []
    while len(times_s) < _LEAST_RUNS or sum(times_s) < _LEAST_S:
        started_s = time.perf_counter()
        work()
        times_s.append(time.perf_counter() - started_s)
    return min(times_s)
