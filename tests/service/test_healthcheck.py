"""The health check of the container, against a service that is ready."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from free_port import free_port

SCRIPT = Path(__file__).resolve().parents[2] / "docker/service/healthcheck.py"


def check(port, **variables):
    environment = {**os.environ, "OTOSCOPE_PORT": str(port), **variables}
    return subprocess.run(
        [sys.executable, SCRIPT], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_service_that_is_ready_is_healthy_behind_a_proxy_too(serve):
    with serve() as address:
        for variables in ({}, {"http_proxy": f"http://127.0.0.1:{free_port()}"}):
            checked = check(urlsplit(address).port, **variables)
            assert (checked.returncode, "ready" in checked.stdout) == (0, True), checked.stderr


def test_no_service_is_not_healthy():
    checked = check(free_port())
    assert (checked.returncode, "/health/ready: " in checked.stderr) == (1, True)
