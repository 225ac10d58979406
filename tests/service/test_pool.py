import asyncio
import threading

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.errors import QueueFullError
from service.pool import Pool

WAIT_S = 10.0


@pytest.fixture
def pool():
    pool = Pool(threads=1, queue_size=1)
    yield pool
    pool.close()


def test_returns_and_raises_what_the_work_does(pool):
    assert asyncio.run(pool.run(lambda: 42)) == 42
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pool.run(lambda: 1 / 0))


def test_refuses_beyond_threads_and_queue_and_recovers(pool):
    async def scenario():
        gate = threading.Event()
        work = [asyncio.create_task(pool.run(lambda: gate.wait(WAIT_S))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError) as refused:
            await pool.run(lambda: None)
        gate.set()
        assert await asyncio.gather(*work) == [True, True]
        return refused.value.retry_after_s, await pool.run(lambda: "free again")

    retry_after_s, answer = asyncio.run(scenario())
    assert retry_after_s >= 1
    assert answer == "free again"


def test_failed_work_gives_its_place_back(pool):
    async def scenario():
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await pool.run(lambda: 1 / 0)

    asyncio.run(scenario())


def test_caller_that_leaves_keeps_the_place_until_the_work_ends(pool):
    async def scenario():
        gate, started = threading.Event(), threading.Event()

        def work():
            started.set()
            gate.wait(WAIT_S)

        leaver = asyncio.create_task(pool.run(work))
        await asyncio.to_thread(started.wait, WAIT_S)
        leaver.cancel()
        waiting = asyncio.create_task(pool.run(lambda: "second"))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await pool.run(lambda: None)
        gate.set()
        return await waiting

    assert asyncio.run(scenario()) == "second"


def test_event_loop_is_free_while_work_runs(pool):
    async def scenario():
        gate = threading.Event()
        work = asyncio.create_task(pool.run(lambda: gate.wait(WAIT_S)))
        await asyncio.sleep(0)
        gate.set()  # reached only if the loop is not the one that waits
        return await work

    assert asyncio.run(scenario()) is True


def test_full_queue_is_503_with_retry_after(make_settings, short_wav):
    app = create_app(make_settings(inference_threads=1, queue_size=0))
    with TestClient(app) as client:
        while client.get("/health/ready").status_code != 200:
            pass
        gate = threading.Event()
        pool = app.state.services.pool
        busy = client.portal.start_task_soon(pool.run, lambda: gate.wait(WAIT_S))
        client.get("/health/live")  # once answered, the loop has started the work above
        answer = client.post("/transcribe", files={"file": short_wav})
        gate.set()
        busy.result(WAIT_S)
        after = client.post("/transcribe", files={"file": short_wav})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["type"] == "urn:otoscope:problem:queue-full"
    assert after.status_code == 200
