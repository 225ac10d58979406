"""A real Redis server on a free loopback port."""

import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest
import redis
from free_port import free_port
from redis.backoff import NoBackoff
from redis.retry import Retry

START_S = 30.0
MISSING = "no redis-server on PATH: on Debian and Ubuntu, apt-get install redis-server"


class RunningRedis:
    """A server that can be stopped and started again; what it holds is on disk meanwhile."""

    def __init__(self, directory, *options):
        self.port = free_port()
        self._command = [
            *("redis-server", "--bind", "127.0.0.1", "--port", str(self.port)),
            *("--dir", str(directory), "--save", "", "--appendonly", "yes"),
            *("--loglevel", "warning", *options),
        ]
        self._process = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s:
            assert self._process.poll() is None, "redis-server left"
            try:
                redis.Redis(port=self.port, retry=Retry(NoBackoff(), 0)).ping()
            except redis.AuthenticationError:
                return
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
        pytest.fail(f"redis-server did not answer within {START_S:g} s")

    def stop(self):
        self._process.terminate()
        self._process.wait(START_S)

    def kill(self):
        self._process.kill()
        self._process.wait(START_S)

    def signal(self, number):
        self._process.send_signal(number)


@contextmanager
def running_redis(directory, *options):
    """A server with these options, for as long as it is needed; skips where none is installed."""
    if shutil.which("redis-server") is None:
        pytest.skip(MISSING)
    server = RunningRedis(directory, *options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
