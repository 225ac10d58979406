"""Real servers in processes of their own, and what they take of the machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

_START_LIMIT_S = 180.0


@dataclass(frozen=True)
class Server:
    """A server that is ready.

    Attributes:
        url: its address.
        ready_s: from its start until it was ready.
        process: it, and the parent of its workers.
    """

    url: str
    ready_s: float
    process: psutil.Process

    def cpu_s(self) -> float:
        """Processor seconds that it and its workers have taken."""
        times = [each.cpu_times() for each in self.family()]
        return float(sum(each.user + each.system for each in times))

    def peak_mib(self) -> float:
        """Most memory that it and its workers have ever held, in MiB (Linux: VmHWM)."""
        return sum(_peak_bytes(each) for each in self.family()) / 2**20

    def family(self) -> list[psutil.Process]:
        """It and its workers."""
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def otoscope_server(model: Path, workers: int = 1, **variables: str) -> Iterator[Server]:
    """The service, with `variables` in its environment, on a store of its own."""
    with TemporaryDirectory() as folder:
        settings = {
            "OTOSCOPE_MODEL_PATH": str(model),
            "OTOSCOPE_STORE_PATH": str(Path(folder) / "results.sqlite3"),
            **variables,
        }
        command = ["-m", "service", "--workers", str(workers)]
        with _running(command, settings, "/health/ready") as server:
            yield server


@contextmanager
def plain_server(model: Path) -> Iterator[Server]:
    """`benchmarks.plain`: an endpoint that calls the model in the obvious way."""
    command = ["-m", "uvicorn", "benchmarks.plain:app", "--log-level", "warning"]
    with _running(command, {"PLAIN_MODEL": str(model)}, "/openapi.json") as server:
        yield server


@contextmanager
def _running(command: Sequence[str], settings: dict[str, str], ready: str) -> Iterator[Server]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    started_s = time.perf_counter()
    command = [sys.executable, *command, "--port", str(port)]
    with running(command, url + ready, settings) as process:
        yield Server(url, time.perf_counter() - started_s, process)


def free_port() -> int:
    """A port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], ready_url: str, variables: dict[str, str]
) -> Iterator[psutil.Process]:
    """A program from when it answers 200 at this URL until it has been asked to end, and has."""
    with subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait_until_ready(ready_url, server)
            yield psutil.Process(server.pid)
        finally:
            server.terminate()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    limit_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit_s:
        if server.poll() is not None:
            raise RuntimeError(f"expected a server, got exit code {server.returncode}")
        try:
            if httpx.get(url).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # not listening yet, or too busy to answer
        time.sleep(0.02)
    raise TimeoutError(f"expected a ready server within {_START_LIMIT_S:g} s")


def _peak_bytes(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return int(process.memory_info().rss)  # where there is no /proc: what it holds now
