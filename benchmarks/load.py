"""A number of clients that send one recording after another."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence

import httpx

from benchmarks.clips import Clip
from benchmarks.servers import Server


def drive(
    server: Server,
    clips: Sequence[Clip],
    *,
    concurrency: int,
    requests: int,
    decoder: str | None = "greedy",
) -> dict[str, float]:
    """Throughput, latency, processor time, memory and failures of POST /transcribe.

    Args:
        server: gets the requests.
        clips: sent in turn, from the first.
        concurrency: clients, each of which waits for its answer.
        requests: of all clients together.
        decoder: the form's field; none for a server that has no such field.
    """
    cpu_s, started_s = server.cpu_s(), time.perf_counter()
    waiting = iter(itertools.islice(itertools.cycle(clips), requests))
    form = {} if decoder is None else {"decoder": decoder}
    results = asyncio.run(_all_clients(server.url, waiting, concurrency, form))
    wall_s = time.perf_counter() - started_s
    latencies_ms = sorted(latency_ms for _, latency_ms, ok in results if ok)
    audio_s = sum(duration_s for duration_s, _, ok in results if ok)
    cuts_ms = statistics.quantiles(latencies_ms, n=100, method="inclusive")
    return {
        "concurrency": concurrency,
        "requests": requests,
        "errors": requests - len(latencies_ms),
        "audio_s_per_s": audio_s / wall_s,
        "p50_ms": cuts_ms[49],
        "p95_ms": cuts_ms[94],
        "p99_ms": cuts_ms[98],
        "cpu": (server.cpu_s() - cpu_s) / wall_s,
        "peak_mib": server.peak_mib(),
    }


async def _all_clients(
    url: str, waiting: Iterator[Clip], concurrency: int, form: dict[str, str]
) -> list[tuple[float, float, bool]]:
    """Duration in s, latency in ms and success of each request."""
    results = []
    limits = httpx.Limits(max_connections=concurrency)
    async with httpx.AsyncClient(base_url=url, timeout=600, limits=limits) as http:

        async def client() -> None:
            for clip in waiting:
                started_s = time.perf_counter()
                answer = await http.post(
                    "/transcribe", files={"file": ("clip.flac", clip.data)}, data=form
                )
                latency_ms = 1000 * (time.perf_counter() - started_s)
                results.append((clip.duration_s, latency_ms, answer.is_success))

        await asyncio.gather(*(client() for _ in range(concurrency)))
    return results
