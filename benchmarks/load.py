"""A number of clients that send one recording after another."""

import itertools
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

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
    host, _, port = server.url.removeprefix("http://").partition(":")
    with ThreadPoolExecutor(concurrency) as clients:
        address = (host, int(port))
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
    """A request ready to be sent: clients share the machine, and are to take little of it."""

    def __init__(self, clip: Clip, form: dict[str, str]) -> None:
        request = httpx.Request(
            "POST",
            "http://localhost/transcribe",
            files={"file": ("clip.flac", clip.data)},
            data=form,
        )
        self.duration_s = clip.duration_s
        content = request.read()
        headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        self.message = f"POST /transcribe HTTP/1.1\r\n{headers}\r\n".encode() + content


def _client(address: tuple[str, int], waiting: Iterator[_Body]) -> list[tuple[float, float, bool]]:
    """Duration in s, latency in ms and success of each request that one client sent."""
    results = []
    with socket.create_connection(address, timeout=600) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for body in waiting:  # an iterator written in C, which threads may share
            started_s = time.perf_counter()
            connection.sendall(body.message)
            status = _answer(connection)
            latency_ms = 1000 * (time.perf_counter() - started_s)
            results.append((body.duration_s, latency_ms, status == HTTPStatus.OK))
    return results


def _answer(connection: socket.socket) -> int:
    """Read one answer to its end (RFC 9112, a body with Content-Length); its status."""
    received = b""
    while (head := received.find(b"\r\n\r\n")) < 0:
        received += _some(connection)
    status, *headers = received[:head].decode("latin-1").split("\r\n")
    [length] = [
        int(value)
        for name, _, value in (each.partition(":") for each in headers)
        if name.lower() == "content-length"
    ]
    missing = head + 4 + length - len(received)
    while missing > 0:
        missing -= len(_some(connection))
    return int(status.split(" ")[1])


def _some(connection: socket.socket) -> bytes:
    if not (data := connection.recv(1 << 16)):
        raise ConnectionError("expected an answer, got the end of the connection")
    return data
