"""The real server in a process of its own, driven over HTTP."""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.clips import clip

_START_LIMIT_S = 60.0
DECODERS = ("greedy", "beam")


def measure_http(
    model: Path, duration_s: float, concurrencies: tuple[int, ...], requests: int
) -> dict[str, object]:
    """Start-up time, and throughput and latency of POST /transcribe, by decoder and concurrency."""
    data = clip(duration_s)
    with running_server(model) as (url, ready_s):
        rows = [
            {"decoder": decoder}
            | asyncio.run(_drive(url, (data, decoder), duration_s, concurrency, requests))
            for decoder in DECODERS
            for concurrency in concurrencies
        ]
    return {"start_to_ready_s": ready_s, "transcribe": rows}


@contextmanager
def running_server(model: Path) -> Iterator[tuple[str, float]]:
    """A server on a free port with a store of its own: its URL and the seconds until ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "OTOSCOPE_MODEL_PATH": str(model),
            "OTOSCOPE_STORE_PATH": str(Path(folder) / "results.sqlite3"),
        }
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "service", "--port", str(port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                _wait_until_ready(url, server)
                yield url, time.perf_counter() - started
            finally:
                server.terminate()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit:
        if server.poll() is not None:
            raise RuntimeError(f"expected a server, got exit code {server.returncode}")
        try:
            if httpx.get(f"{url}/health/ready").status_code == httpx.codes.OK:
                return
        except httpx.ConnectError:
            pass  # not listening yet
        time.sleep(0.02)
    raise TimeoutError(f"expected a ready server within {_START_LIMIT_S:g} s")


async def _drive(
    url: str, sent: tuple[bytes, str], duration_s: float, concurrency: int, requests: int
) -> dict[str, float]:
    data, decoder = sent
    latencies_ms: list[float] = []
    waiting = iter(range(requests))

    async def client() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=120) as http:
            for _ in waiting:
                started = time.perf_counter()
                answer = await http.post(
                    "/transcribe", files={"file": ("clip.flac", data)}, data={"decoder": decoder}
                )
                answer.raise_for_status()
                latencies_ms.append(1000 * (time.perf_counter() - started))

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(concurrency)))
    wall_s = time.perf_counter() - started
    cuts = statistics.quantiles(latencies_ms, n=20)
    return {
        "concurrency": concurrency,
        "requests": requests,
        "audio_s_per_s": requests * duration_s / wall_s,
        "p50_ms": statistics.median(latencies_ms),
        "p95_ms": cuts[18],
    }
