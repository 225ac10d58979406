"""service.store.check: an answer about the store that waits for nothing else."""

import asyncio
import threading
import time
from contextlib import closing

import pytest
from ready_client import ready_client

from service.errors import StoreError
from service.store import check as check_module
from service.store.check import StoreCheck

WAIT_S = 10.0


class Store:
    """One whose check does what it is told."""

    def __init__(self, act):
        self.check = act


def ask(act, times=1):
    async def scenario(check):
        return [await check.works() for _ in range(times)]

    with closing(StoreCheck(Store(act))) as check:
        return asyncio.run(scenario(check))


def test_tells_what_the_store_does(caplog):
    def fail():
        raise StoreError("the disk is full")

    assert ask(lambda: None, times=2) == [True, True]
    assert ask(fail) == [False]
    assert "the disk is full" in caplog.text
    with pytest.raises(ZeroDivisionError):
        ask(lambda: 1 / 0)


def test_a_store_that_does_not_answer_counts_as_away_and_is_asked_once(monkeypatch):
    monkeypatch.setattr(check_module, "LIMIT_S", 0.1)
    gate, asked = threading.Event(), []

    def hang():
        asked.append(None)
        gate.wait(WAIT_S)

    async def scenario(check):
        started_s = time.monotonic()
        found = [await check.works() for _ in range(5)]
        gate.set()
        await asyncio.sleep(0.1)
        return [*found, await check.works()], time.monotonic() - started_s

    with closing(StoreCheck(Store(hang))) as check:
        found, took_s = asyncio.run(scenario(check))
    assert found == [False] * 5 + [True]
    assert len(asked) == 2
    assert took_s < WAIT_S


def test_readiness_waits_for_no_thread_of_others(make_settings):
    """Every thread that recognizes, reads or answers is taken."""
    gate = threading.Event()
    with ready_client(make_settings(inference_threads=1)) as client:
        services = client.app.state.services
        for pool in (services.pool, services.reading_pool):
            for _ in range(20):
                client.portal.start_task_soon(pool.run, lambda: gate.wait(WAIT_S))
        try:
            started_s = time.monotonic()
            assert client.get("/health/ready").json()["status"] == "ready"
            assert client.get("/health/live").status_code == 200
            assert time.monotonic() - started_s < WAIT_S / 2
        finally:
            gate.set()


@pytest.mark.parametrize("how", ["deleted", "unwritable"])
def test_readiness_tells_of_a_store_that_keeps_nothing(make_settings, tmp_path, how):
    """A file that was deleted is created again; where that can't be done, the store is away."""
    folder = tmp_path / "kept"
    with ready_client(make_settings(store_path=folder / "results.sqlite3")) as client:
        for path in folder.iterdir():
            path.unlink()
        if how == "unwritable":
            folder.rmdir()
            folder.write_text("no folder any more")
        body = client.get("/health/ready").json()
    expected = ("ready", "available") if how == "deleted" else ("degraded", "unavailable")
    assert (body["status"], body["store"]) == expected
