"""The service as it is started, in a process of its own."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from free_port import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 60.0


@contextmanager
def running_service(store_path, *arguments, stderr=None, **variables):
    """``python -m service`` with these variables, for as long as it is needed; its address."""
    with service_process(store_path, *arguments, stderr=stderr, **variables) as (_, address):
        yield address


@contextmanager
def service_process(store_path, *arguments, stderr=None, **variables):
    """`running_service`, with the process itself before its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "--port", str(port), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "OTOSCOPE_STORE_PATH": str(store_path), **variables},
        stderr=stderr,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, address)
        yield process, address
    finally:
        process.terminate()
        process.wait(START_S)


def _wait_until_ready(process, address):
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, f"the server left with {process.returncode}"
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"the server was not ready within {START_S:g} s")
