"""What there is to reach: the graph without a service, the machine without the graph, a peer."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import torch

from benchmarks.clips import Clip, Speech
from otoscope import Recognizer, load
from training.systems import pocketsphinx

_BATCH_SIZES = (1, 2, 4, 8, 16)
_LEAST_S = 2.0
_LEAST_RUNS = 3


def raw_throughput(model: Path, speech: Speech, durations_s: Sequence[float]) -> dict[str, object]:
    """Audio s per s of the graph alone, for the best of batch sizes and ways to use processors.

    The recordings are those of the load test, sorted by length, so that no batch is padded much;
    the longest first, so that no processor is left with one in the end.
    """
    processors = os.cpu_count() or 1
    together = Recognizer(model, threads=processors)
    apart = Recognizer(model, threads=1)
    matrices = sorted(
        (together.features(speech.cut(duration_s)) for duration_s in durations_s),
        key=len,
        reverse=True,
    )
    rows = []
    for size in (1,) if apart.quantised else _BATCH_SIZES:  # recordings go alone there
        batches = [matrices[start : start + size] for start in range(0, len(matrices), size)]
        rows.append(_row("one batch on all processors", size, batches, together, 1))
        rows.append(_row("a batch on each processor", size, batches, apart, processors))
    return {"rows": rows, "best": max(rows, key=lambda row: row["audio_s_per_s"])}


def _row(
    name: str, size: int, batches: list[list[np.ndarray]], model: Recognizer, threads: int
) -> dict[str, object]:
    audio_s = sum(len(x) for batch in batches for x in batch) * model.spec.features.hop_s
    with ThreadPoolExecutor(threads) as pool:
        took_s = best_s(lambda: list(pool.map(model.run_heads, batches)))
    return {"how": name, "batch": size, "audio_s_per_s": audio_s / took_s}


def model_gflop_per_s(model: Path) -> float:
    """Multiplications and additions, in 1e9, that a second of audio needs in matrix products."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(model)).graph
    weights = {each.name: tuple(each.dims) for each in graph.initializer}
    shapes = {each.name: each.type.tensor_type.shape.dim for each in graph.value_info}
    frames_per_s = 1.0 / Recognizer(model).spec.features.hop_s
    total = 0.0
    for node in graph.node:
        sizes = [np.prod(weights[name]) for name in node.input if name in weights]
        if node.op_type == "Conv":
            [strides] = [each.ints for each in node.attribute if each.name == "strides"]
            frames_per_s /= strides[0]
            bins = shapes[node.output[0]][3].dim_value
            total += 2 * sizes[0] * bins * frames_per_s
        elif node.op_type in {"LSTM", "GRU"}:
            total += 2 * sum(sizes[:2]) * frames_per_s
        elif node.op_type == "MatMul" and sizes:
            total += 2 * sizes[0] * frames_per_s
    return float(total) / 1e9


def machine_gflops(size: int = 2048) -> dict[str, float]:
    """1e9 operations a second of a float32 matrix product on all processors, by library."""
    a, b = np.ones((2, size, size), dtype=np.float32)
    one, other = torch.from_numpy(a), torch.from_numpy(b)
    operations = 2 * size**3 / 1e9
    return {
        "numpy": operations / best_s(lambda: a @ b),
        "torch": operations / best_s(lambda: one @ other),
    }


def pocketsphinx_throughput(model: Path, clips: Sequence[Clip]) -> float:
    """Audio s per s of PocketSphinx with its own model and trigram, on one processor."""
    recognizer = Recognizer(model)
    system = pocketsphinx(recognizer)
    rate_hz = recognizer.spec.features.sample_rate_hz
    recordings = [load(clip.data, rate_hz).samples for clip in clips]
    system.hear(recordings[0])  # warm
    started_s = time.perf_counter()
    for samples in recordings:
        system.hear(samples)
    return sum(clip.duration_s for clip in clips) / (time.perf_counter() - started_s)


def best_s(work: Callable[[], object]) -> float:
    """Least seconds of several runs."""
    work()  # warm
    times_s: list[float] = []
    while len(times_s) < _LEAST_RUNS or sum(times_s) < _LEAST_S:
        started_s = time.perf_counter()
        work()
        times_s.append(time.perf_counter() - started_s)
    return min(times_s)
