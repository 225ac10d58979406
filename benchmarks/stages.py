"""In process, one thread: where the milliseconds of one recording go."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import threadpoolctl

from benchmarks.clips import Speech
from otoscope import Recognizer, audio, greedy


def measure_stages(model: Path, speech: Speech, duration_s: float, runs: int) -> dict[str, float]:
    """Median milliseconds of each stage for a clip of `duration_s`."""
    recognizer = Recognizer(model, threads=1)
    spec = recognizer.spec
    data = speech.clip(duration_s).data
    samples = audio.load(data, spec.features.sample_rate_hz).samples
    matrix = recognizer.features(samples)
    [heads] = recognizer.run_heads([matrix])
    posteriors = recognizer.interpret(heads, duration_s)
    stages: dict[str, Callable[[], Any]] = {
        "decode": lambda: audio.load(data, spec.features.sample_rate_hz),
        "features": lambda: recognizer.features(samples),
        "model": lambda: recognizer.run_heads([matrix]),
        "text": lambda: greedy(posteriors),
    }
    with threadpoolctl.threadpool_limits(1, user_api="blas"):  # as the service has it
        return {f"{name}_ms": _median_ms(stage, runs) for name, stage in stages.items()}


def _median_ms(stage: Callable[[], Any], runs: int) -> float:
    stage()  # warm
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        stage()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)
