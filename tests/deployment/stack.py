"""The services of docker-compose.yml as they run, and what may happen to them."""

import json
import os
import shlex
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 180.0
"""For a container to become healthy, or for the service to say what it should."""


class StackError(Exception):
    """The stack is not what the proof needs, or has not become it in time."""


class Stack:
    """A compose project that is up, on this host."""

    def __init__(self, compose: str, url: str) -> None:
        """Take it as it is.

        Args:
            compose: the command, such as "docker compose"; the environment says which project.
            url: where its proxy answers.
        """
        self._compose = shlex.split(compose)
        self._url = url

    def containers(self, service: str) -> list[str]:
        """Ids of a service's containers."""
        ids = self._run(*self._compose, "ps", "-q", service).split()
        if not ids:
            raise StackError(f"expected containers of {service}, found none: is the project up?")
        return ids

    def require(self, service: str, count: int) -> None:
        """StackError unless that many of its containers are up."""
        if (found := len(self.containers(service))) < count:
            raise StackError(f"expected {count} containers of {service}, got {found}: --scale")

    def crash(self, container: str) -> tuple[float, float]:
        """SIGKILL its first process from outside, as the kernel does when memory is out.

        `docker kill` is something else: it tells the engine not to start the container again.

        Returns:
            When it was killed and when it had ended, in seconds of the monotonic clock: until then
            the kernel may take connections for it.
        """
        process = int(self._inspect(container, "{{.State.Pid}}"))
        killed_s = time.monotonic()
        os.kill(process, signal.SIGKILL)
        _until(lambda: _has_ended(process), f"{container} to end", every_s=0.001)
        return killed_s, time.monotonic()

    def restart(self, container: str) -> None:
        """Stop it as gently as it wants, start it, wait until it is healthy."""
        self._run("docker", "restart", "--time", "630", container)
        self.wait_healthy(container)

    def replace(self, service: str) -> None:
        """As many new containers beside the old ones; when they are healthy, the old ones go."""
        old = self.containers(service)
        scale = ("--scale", f"{service}={2 * len(old)}", "--no-recreate", "--no-build", "--no-deps")
        self._run(*self._compose, "up", "--detach", *scale, service)
        for container in self.containers(service):
            self.wait_healthy(container)
        for container in old:
            self._run("docker", "stop", "--time", "630", container)
            self._run("docker", "rm", container)

    def health(self, container: str) -> str:
        """What its health check says: starting, healthy or unhealthy."""
        return self._inspect(container, "{{.State.Health.Status}}")

    def stop(self, container: str) -> None:
        """Stop it gently."""
        self._run("docker", "stop", container)

    def start(self, container: str) -> None:
        """Start it again, wait until it is healthy."""
        self._run("docker", "start", container)
        self.wait_healthy(container)

    def starts(self, container: str) -> int:
        """How often the engine has started it again by itself."""
        return int(self._inspect(container, "{{.RestartCount}}"))

    def wait_started_again(self, container: str, before: int) -> None:
        """Return when the engine has started it more often than before; StackError as below."""
        _until(lambda: self.starts(container) > before, f"{container} to be started again")

    def wait_healthy(self, container: str) -> None:
        """Return when its health check has passed; StackError after PATIENCE_S."""
        _until(lambda: self.health(container) == "healthy", f"{container} to be healthy")

    def wait_status(self, status: str) -> None:
        """Return when /health/ready says this through the proxy; StackError after PATIENCE_S."""
        _until(lambda: self._status() == status, f"/health/ready to say {status}")

    def _status(self) -> str:
        with urllib.request.urlopen(f"{self._url}/health/ready", timeout=30) as answer:
            return str(json.load(answer)["status"])

    def _inspect(self, container: str, form: str) -> str:
        return self._run("docker", "inspect", "--format", form, container).strip()

    @staticmethod
    def _run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, timeout=900, check=False
        )
        if done.returncode:
            raise StackError(f"{shlex.join(command)}: {done.stderr.strip()}")
        return done.stdout


def _has_ended(process: int) -> bool:
    """Whether it is gone, or has nothing left but its exit status."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state.split()[0] in {"Z", "X"}


def _until(holds: Callable[[], bool], what: str, every_s: float = 0.2) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise StackError(f"waited {PATIENCE_S:g} s for {what}")
        time.sleep(every_s)
