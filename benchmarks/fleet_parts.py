"""Redis, Caddy, Prometheus and processor limits for `benchmarks.fleet`."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import redis
import yaml
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from benchmarks.servers import Server, free_port, running

ROOT = Path(__file__).parents[1]
ADAPTER = ROOT / "deploy" / "kubernetes" / "prometheus" / "adapter-values.yaml"
SCRAPE_S = 15.0
_UNREACHABLE = "127.0.0.1:1"
_PERIOD_US = 20_000
_CGROUPS = Path("/sys/fs/cgroup/cpu")


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """A server with the configuration of `docker/redis` and its data in `folder`; its address."""
    port, file = free_port(), folder / "redis.conf"
    url = f"redis://127.0.0.1:{port}/0"
    text = (ROOT / "docker/redis/redis.conf").read_text(encoding="utf-8")
    file.write_text(text.replace("dir /data", f"dir {folder}"), encoding="utf-8")
    command = [_program("redis-server"), str(file), "--port", str(port), "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            redis.Redis.from_url(url, retry=Retry(ConstantBackoff(0.1), 100)).ping()
            yield url
        finally:
            server.terminate()


class Caddy:
    """A proxy with the configuration of `docker/caddy` and a fixed list of replicas."""

    def __init__(self, ports: Sequence[int]) -> None:
        """Ports for requests, for its admin API and for health checks."""
        listens, self._admin, self._health = ports
        self.url = f"http://127.0.0.1:{listens}"

    def configuration(self, addresses: Sequence[str]) -> str:
        """The Caddyfile for replicas at these addresses."""
        text = (ROOT / "docker/caddy/Caddyfile").read_text(encoding="utf-8")
        for old, new in (
            ("admin off", f"admin 127.0.0.1:{self._admin}"),
            ("{$OTOSCOPE_SITE::80}", self.url),
            ("http://:2020", f"http://:{self._health}"),
        ):
            text = text.replace(old, new)
        found_by_name = re.compile(r"dynamic a api.*?\}", re.DOTALL)
        return found_by_name.sub(f"to {' '.join(addresses) or _UNREACHABLE}", text)

    def use(self, addresses: Sequence[str]) -> None:
        """Forward requests to these replicas from now on."""
        httpx.post(
            f"http://127.0.0.1:{self._admin}/load",
            content=self.configuration(addresses),
            headers={"Content-Type": "text/caddyfile"},
            timeout=30,
        ).raise_for_status()


@contextmanager
def running_caddy(folder: Path) -> Iterator[Caddy]:
    """A proxy without replicas."""
    ports = [free_port() for _ in range(3)]
    caddy, file = Caddy(ports), folder / "Caddyfile"
    file.write_text(caddy.configuration([]), encoding="utf-8")
    command = [_program("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]
    with running(command, f"http://127.0.0.1:{ports[1]}/config/", {"HOME": str(folder)}):
        yield caddy


class Prometheus:
    """Scrapes replicas as deploy/kubernetes does, and evaluates the adapter's query."""

    def __init__(self, url: str, targets: Path, pace: float) -> None:
        self._url, self._targets = url, targets
        [rule] = yaml.safe_load(ADAPTER.read_text(encoding="utf-8"))["rules"]["custom"]
        query: str = rule["metricsQuery"]
        for old, new in (
            ("<<.GroupBy>>", "pod"),
            ("<<.LabelMatchers>>", 'namespace="otoscope"'),
            ("[1m]", f"[{60 / pace:.0f}s]"),
        ):
            query = query.replace(old, new)
        self._query = query

    def watch(self, addresses: Sequence[str]) -> None:
        """Scrape these replicas from now on."""
        groups = [
            {"targets": [each], "labels": {"namespace": "otoscope", "pod": each}}
            for each in addresses
        ]
        new = self._targets.with_suffix(".new")
        new.write_text(json.dumps(groups), encoding="utf-8")
        new.rename(self._targets)
        self._watched = set(addresses)

    def waits_s(self) -> list[float]:
        """`otoscope_queue_wait` of each replica that has it."""
        asked = httpx.get(f"{self._url}/api/v1/query", params={"query": self._query}, timeout=30)
        found = asked.raise_for_status().json()["data"]["result"]
        return [float(each["value"][1]) for each in found if each["metric"]["pod"] in self._watched]


@contextmanager
def running_prometheus(folder: Path, pace: float) -> Iterator[Prometheus]:
    """A server that scrapes `pace` times as often as in a cluster, with its data in `folder`."""
    url, targets = f"127.0.0.1:{free_port()}", folder / "targets.json"
    prometheus, file = Prometheus(f"http://{url}", targets, pace), folder / "prometheus.yml"
    prometheus.watch([])
    interval = f"{1000 * SCRAPE_S / pace:.0f}ms"
    job = {"job_name": "otoscope", "file_sd_configs": [{"files": [str(targets)]}]}
    settings = {"global": {"scrape_interval": interval, "scrape_timeout": interval}}
    file.write_text(yaml.safe_dump({**settings, "scrape_configs": [job]}), encoding="utf-8")
    command = [
        *(_program("prometheus"), f"--config.file={file}", f"--web.listen-address={url}"),
        f"--storage.tsdb.path={folder / 'data'}",
    ]
    with running(command, f"http://{url}/-/ready", {}):
        yield prometheus


@contextmanager
def processor_share(server: Server, share: float) -> Iterator[None]:
    """Limit a server to a share of a processor, as a container's limit does; from 1 on, do nothing.

    Raises:
        OSError: without root, or without the cpu controller of cgroups version 1.
    """
    if share >= 1:
        yield
        return
    group = _CGROUPS / f"otoscope-{server.process.pid}"
    group.mkdir()
    try:
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(round(share * _PERIOD_US)))
        for each in server.family():
            (group / "cgroup.procs").write_text(str(each.pid))
        yield
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (_CGROUPS / "cgroup.procs").write_text(pid)
        group.rmdir()


def _program(name: str) -> str:
    """Path of a program: beside this Python, or on PATH."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"expected {name} on PATH: see the head of benchmarks/fleet.py")
    return path
