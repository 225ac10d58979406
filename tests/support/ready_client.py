"""The application in this process, when its model is ready."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi.testclient import TestClient

from service.app import create_app
from service.settings import Settings

READY_S = 60.0


@contextmanager
def ready_client(settings: Settings) -> Iterator[TestClient]:
    """A client of the application with these settings."""
    with TestClient(create_app(settings)) as client:
        deadline_s = time.monotonic() + READY_S
        while client.get("/health/ready").status_code != 200:
            assert time.monotonic() < deadline_s, f"it was not ready within {READY_S:g} s"
            time.sleep(0.05)
        yield client
