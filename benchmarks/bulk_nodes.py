"""`python -m benchmarks.bulk_nodes`: `otoscope bulk` on a cluster of two nodes, one of them lost.

The nodes are two network namespaces of this machine with a cable between them (root, Linux, `ip` of
iproute2), each with a /tmp/ray of its own and one CPU. The job runs on the head. At a third of the
rows all processes of the other node are killed; every file must be in the table once.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bulk_archive import Row, add_broken, archive_parser, make_archive, once, rows_of
from benchmarks.bulk_job import Job
from otoscope.bulk import ray_environment

_NODES = {"otoscope-head": "198.18.0.1", "otoscope-node": "198.18.0.2"}
"""Namespaces and their addresses, of the range that RFC 2544 keeps for benchmarks."""

_HEAD, _OTHER = _NODES
_PORT = 6379
_START_LIMIT_S = 300.0


def main() -> None:
    """Exit code 1 if a file is missing or there twice."""
    options = archive_parser("python -m benchmarks.bulk_nodes", __doc__, 500, 50, 20).parse_args()
    archive = options.folder.resolve() / "archive"
    files = list(make_archive(archive, options.corpus, options.files, options.distinct))
    files += add_broken(archive, options.cases, options.broken)
    with _cable(), _cluster(options.folder.resolve()) as head:
        found = _lose_a_node(archive, options.folder.resolve() / "out", len(files), head)
    found |= once(rows_of(options.folder.resolve() / "out"), files)
    (options.folder / "nodes.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    sys.exit(bool(found["missing"] or found["twice"]))


@contextmanager
def _cable() -> Iterator[None]:
    """The namespaces, an end of a cable in each."""
    try:
        for name in _NODES:
            _ip("netns", "add", name)
            _ip("-netns", name, "link", "set", "lo", "up")
        _ip("link", "add", "end", "netns", _HEAD, "type", "veth", "peer", "end", "netns", _OTHER)
        for name, address in _NODES.items():
            _ip("-netns", name, "address", "add", f"{address}/24", "dev", "end")
            _ip("-netns", name, "link", "set", "end", "up")
        yield
    finally:
        for name in _NODES:
            _kill_all_in(name)
            subprocess.run(["ip", "netns", "delete", name], check=False)


@contextmanager
def _cluster(folder: Path) -> Iterator[list[str]]:
    """Ray in both; what runs a command on the head."""
    ray_environment.prepare(None)
    head = _in(_HEAD, folder)
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus", "1"]
    of_head = ["--head", "--port", str(_PORT), "--include-dashboard", "false"]
    of_other = ["--address", f"{_NODES[_HEAD]}:{_PORT}"]
    with (folder / "ray.log").open("wb") as log:
        for count, (name, arguments) in enumerate([(_HEAD, of_head), (_OTHER, of_other)], start=1):
            command = [*_in(name, folder), *ray, "--node-ip-address", _NODES[name], *arguments]
            _wait_for_nodes(subprocess.Popen(command, stdout=log, stderr=log), head, count)
        yield head


def _in(name: str, folder: Path) -> list[str]:
    """What runs a command on a node."""
    own = folder / name
    own.mkdir(exist_ok=True)
    script = f'mkdir -p /tmp/ray && mount --bind {own} /tmp/ray && exec "$0" "$@"'
    return ["ip", "netns", "exec", name, "unshare", "--mount", "sh", "-c", script]


def _wait_for_nodes(node: subprocess.Popen[bytes], head: Sequence[str], count: int) -> None:
    """Until so many have joined, `node` the last."""
    code = f"import ray; ray.init(address='{_NODES[_HEAD]}:{_PORT}', logging_level='error'); "
    code += "print(sum(node['Alive'] for node in ray.nodes()))"
    limit_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit_s:
        asked = [*head, sys.executable, "-c", code]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=120)
        if answer.stdout.strip() == str(count):
            return
        if node.poll() is not None:
            raise RuntimeError("expected a node, got its end: ray.log in --folder says why")
        time.sleep(2)
    raise TimeoutError(f"expected {count} nodes within {_START_LIMIT_S:g} s, got {answer}")


def _lose_a_node(archive: Path, out: Path, files: int, head: Sequence[str]) -> Row:
    address = f"{_NODES[_HEAD]}:{_PORT}"
    job = Job.start(archive, out, len(_NODES), "--address", address, before=head)
    job.until(files // 3, out)
    before = len(rows_of(out))
    killed = _kill_all_in(_OTHER)
    job.until(files * 2, out)
    return {
        "files": files,
        "rows_when_the_node_was_lost": before,
        "processes_killed": killed,
        "exit_code": job.process.returncode,
        "summary": out.with_suffix(".log").read_text().splitlines()[-4:],
    }


def _kill_all_in(name: str) -> int:
    command = ["ip", "netns", "pids", name]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    pids = [int(one) for one in found.split()]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


if __name__ == "__main__":
    main()
