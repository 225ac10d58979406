"""A number of clients that send one recording after another."""

import http.client
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

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
    form = {} if decoder is None else {"decoder": decoder}
    bodies = [_Body(clip, form) for clip in clips]
    waiting = iter(itertools.islice(itertools.cycle(bodies), requests))
    address = server.url.removeprefix("http://")
    with ThreadPoolExecutor(concurrency) as clients:
        parts = clients.map(_client, [address] * concurrency, [waiting] * concurrency)
        results = [each for part in parts for each in part]
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


class _Body:
    """A form ready to be sent: clients share the machine, and are to take little of it."""

    def __init__(self, clip: Clip, form: dict[str, str]) -> None:
        request = httpx.Request(
            "POST", "http://any", files={"file": ("clip.flac", clip.data)}, data=form
        )
        self.duration_s = clip.duration_s
        self.content = request.read()
        self.headers = {"Content-Type": request.headers["Content-Type"]}


def _client(address: str, waiting: Iterator[_Body]) -> list[tuple[float, float, bool]]:
    """Duration in s, latency in ms and success of each request that one client sent."""
    results = []
    connection = http.client.HTTPConnection(address, timeout=600)
    with closing(connection):
        for body in waiting:  # an iterator written in C, which threads may share
            started_s = time.perf_counter()
            connection.request("POST", "/transcribe", body.content, body.headers)
            answer = connection.getresponse()
            answer.read()
            latency_ms = 1000 * (time.perf_counter() - started_s)
            results.append((body.duration_s, latency_ms, answer.status == http.client.OK))
    return results
