"""Metrics of this service for Prometheus, in a registry of the application's own.

Several server processes share their metrics through files in one directory, which
prometheus_client expects in PROMETHEUS_MULTIPROC_DIR before it is imported: `shared_directory` sets
it where the processes are started, and any of them answers for all.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from service.errors import StartError
from service.middleware.access_log import Exchange
from service.store.base import Usage

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counters, gauges and histograms. Safe to call from several threads."""

    def __init__(self, directory: Path | None = None) -> None:
        """Start at 0.

        Args:
            directory: where the processes of this service share their metrics, if there are
                several; PROMETHEUS_MULTIPROC_DIR has to say the same.

        Raises:
            StartError: if it is no directory.
        """
        if directory is not None:
            if not directory.is_dir():
                raise StartError(f"{DIRECTORY_VARIABLE}: expected a directory, got {directory}")
            _forget_dead(directory)
        self._directory = directory
        self._registry = registry = CollectorRegistry()
        counter = partial(Counter, registry=registry)
        histogram = partial(Histogram, registry=registry, buckets=_SECONDS)
        gauge = partial(Gauge, registry=registry, multiprocess_mode="livesum")
        # Each process reads these of the one store they share: the latest is right for all.
        latest = partial(Gauge, registry=registry, multiprocess_mode="mostrecent")
        self._requests = counter(
            "otoscope_http_requests", "Requests answered.", ("method", "route", "status")
        )
        self._latency_s = histogram(
            "otoscope_http_request_duration_seconds",
            "From a request's headers to its answer's last byte.",
            ("method", "route"),
        )
        self._stage_s = histogram(
            "otoscope_stage_duration_seconds",
            "Stages of a recording that succeeded, each in all: decode, features, model, text and "
            "written.",
            ("stage",),
        )
        self._wait_s = histogram(
            "otoscope_queue_wait_seconds",
            "Waiting time of work for a thread, in the queues requests, model and search.",
            ("queue",),
        )
        self._audio_s = counter("otoscope_audio_seconds", "Audio recognised, in seconds.")
        self._waiting = gauge("otoscope_recordings_waiting", "Wait for a thread.")
        self._running = gauge("otoscope_recordings_running", "Are at work now.")
        self._streams = gauge("otoscope_streams_open", "Live streams that are heard now.")
        self._results = latest("otoscope_results_kept", "Results that can be fetched.")
        self._result_bytes = latest("otoscope_results_bytes", "Bytes that they take.")

    def add_request(self, exchange: Exchange) -> None:
        """Count a request that was answered."""
        # Clients may make methods up, and each would be a series of its own for ever.
        method = exchange.method if exchange.method in _METHODS else "other"
        self._requests.labels(method, exchange.route, str(exchange.status)).inc()
        if exchange.status != HTTPStatus.SWITCHING_PROTOCOLS:  # a stream lasts as long as the talk
            self._latency_s.labels(method, exchange.route).observe(exchange.duration_s)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of a recording; what fails is not counted."""
        started_s = time.perf_counter()
        yield
        self._stage_s.labels(name).observe(time.perf_counter() - started_s)

    def add_recording(self, duration_s: float, took_s: Mapping[str, float]) -> None:
        """Count a recording that was recognized, and the seconds that its stages took."""
        self._audio_s.inc(duration_s)
        for name, seconds in took_s.items():
            self._stage_s.labels(name).observe(seconds)

    def add_wait(self, queue: str, waited_s: float) -> None:
        """Count work that left a queue, with its waiting time in seconds."""
        self._wait_s.labels(queue).observe(waited_s)

    def set_pool(self, waiting: int, running: int) -> None:
        """How many recordings wait for a thread of the pool, and how many have one."""
        self._waiting.set(waiting)
        self._running.set(running)

    def set_streams(self, count: int) -> None:
        """How many live streams are open."""
        self._streams.set(count)

    def set_store(self, usage: Usage | None) -> None:
        """What the store holds; None, which is NaN to Prometheus, if it can't say."""
        self._results.set(float("nan") if usage is None else usage.results)
        self._result_bytes.set(float("nan") if usage is None else usage.size_bytes)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The metrics of all processes, and their Content-Type.

        Args:
            accept: the request's Accept header: Prometheus' text format or OpenMetrics.
        """
        registry = self._registry
        if self._directory is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, str(self._directory))  # type: ignore[no-untyped-call]
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    def close(self) -> None:
        """Take this process out of the gauges; what it counted stays counted."""
        if self._directory is not None:
            mark_process_dead(os.getpid(), str(self._directory))  # type: ignore[no-untyped-call]


def metrics_from_environment() -> Metrics:
    """The metrics of a server process, alone or one of several."""
    directory = os.environ.get(DIRECTORY_VARIABLE)
    return Metrics(None if directory is None else Path(directory))


@contextmanager
def shared_directory(processes: int) -> Iterator[None]:
    """While inside, processes that are started find a directory to share their metrics in.

    One that the environment already names is used, and left as it is.
    """
    if processes <= 1 or DIRECTORY_VARIABLE in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="otoscope-metrics-") as directory:
        os.environ[DIRECTORY_VARIABLE] = directory
        try:
            yield
        finally:
            del os.environ[DIRECTORY_VARIABLE]


def _forget_dead(directory: Path) -> None:
    """Take processes that have crashed out of the gauges."""
    for path in directory.glob("gauge_live*_*.db"):
        pid = int(path.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)  # sends nothing: it only asks whether there is such a process
        except ProcessLookupError:
            mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
        except PermissionError:
            continue  # it is alive, as another user's
