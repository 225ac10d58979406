"""The service that is attacked, on loopback, and what is seen of it from outside."""

import io
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil
import soundfile
from running_service import service_process

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = (ROOT / "examples" / "sample.flac").read_bytes()
LIMIT_S = 20.0
LATE_S = 2.0
"""Allowed beyond the limit, for a busy machine."""

SETTINGS = {
    "OTOSCOPE_MAX_REQUEST_S": f"{LIMIT_S:g}",
    "OTOSCOPE_MAX_UPLOAD_PAUSE_S": "5",
    "OTOSCOPE_MAX_UPLOAD_BYTES": str(2**26),
    "OTOSCOPE_LOG_FORMAT": "json",
}


@dataclass
class Target:
    """A running service."""

    process: object
    address: str
    log: Path
    folder: Path

    @property
    def port(self):
        return int(self.address.rpartition(":")[2])

    def post(self, path="/transcribe", data=SAMPLE, timeout_s=120.0, **fields):
        return httpx.post(
            self.address + path, files={"file": ("x", data)}, data=fields, timeout=timeout_s
        )

    def get(self, path, **options):
        return httpx.get(self.address + path, timeout=60.0, **options)

    def children(self, name):
        """Processes of the service whose command names a module."""
        found = []
        for each in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):  # it may have ended meanwhile
                if name in " ".join(each.cmdline()):
                    found.append(each)
        return found

    def memory_mib(self):
        """Of all its processes together."""
        total = 0
        main = psutil.Process(self.process.pid)
        for each in [main, *main.children(recursive=True)]:
            with suppress(psutil.Error):
                total += each.memory_full_info().pss
        return total / 2**20


@dataclass
class Finding:
    """What came of one attack.

    Attributes:
        statuses: how often each came; "closed" where the connection ended without an answer.
        slowest_s: until a request was over.
        ready_s: slowest answer of /health/ready meanwhile.
        memory_mib: most that the service took meanwhile.
        note: what else was looked at.
        wrong: what should not have been.
    """

    name: str
    statuses: Counter = field(default_factory=Counter)
    slowest_s: float = 0.0
    ready_s: float = 0.0
    memory_mib: float = 0.0
    note: str = ""
    wrong: list = field(default_factory=list)

    def expect(self, truth, what):
        if not truth:
            self.wrong.append(what)

    def run(self, attempts, at_a_time):
        """Do all attempts, each of which returns a status; none may take longer than the limit."""

        def one(attempt):
            started_s = time.monotonic()
            try:
                status = str(attempt())
            except (httpx.TransportError, OSError) as error:
                status = f"closed ({type(error).__name__})"
            return status, time.monotonic() - started_s

        with ThreadPoolExecutor(at_a_time) as pool:
            for status, took_s in pool.map(one, attempts):
                self.statuses[status] += 1
                self.slowest_s = max(self.slowest_s, took_s)
        self.expect(not any(each == "500" for each in self.statuses), "500")


@contextmanager
def target(folder, **settings):
    """The service, with what it writes to standard error in a file."""
    log = folder / "log"
    with (
        log.open("wb") as stderr,
        service_process(folder / "results.sqlite3", stderr=stderr, **SETTINGS, **settings) as (
            process,
            address,
        ),
    ):
        time.sleep(2)  # its processes start after it is ready
        yield Target(process, address, log, folder)


@contextmanager
def watched(service, finding):
    """Ask /health/ready and look at the memory several times a second meanwhile."""
    over = threading.Event()

    def watch():
        while not over.wait(0.2):
            started_s = time.monotonic()
            try:
                answer = service.get("/health/ready")
                finding.expect(answer.status_code == 200, f"ready {answer.status_code}")
            except httpx.TransportError as error:
                finding.wrong.append(f"not ready: {error!r}")
            finding.ready_s = max(finding.ready_s, time.monotonic() - started_s)
            finding.memory_mib = max(finding.memory_mib, service.memory_mib())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
    finding.expect(service.process.poll() is None, "the service is gone")


def temporary_bytes(service):
    """In files without a name that its processes hold."""
    total = 0
    for link in Path(f"/proc/{service.process.pid}/fd").iterdir():
        try:
            if "(deleted)" in str(link.readlink()) and "memfd" not in str(link.readlink()):
                total += link.stat().st_size
        except (FileNotFoundError, OSError):
            continue
    return total


def long_flac(seconds):
    """The sample over and over."""
    samples, rate_hz = soundfile.read(io.BytesIO(SAMPLE), dtype="int16")
    file = io.BytesIO()
    soundfile.write(
        file, np.tile(samples, -(-seconds * rate_hz // len(samples))), rate_hz, format="FLAC"
    )
    return file.getvalue()
