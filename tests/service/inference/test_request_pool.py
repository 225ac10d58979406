"""service.inference.request_pool: work that is done in one go."""

import asyncio
import contextvars
import time

import pytest
from held_work import WAIT_S
from ready_client import ready_client

from service.errors import DeadlineError, QueueFullError
from service.inference import deadline
from service.inference.deadline import Deadline
from service.inference.request_pool import RequestPool


def test_returns_and_raises_what_the_work_does(pool):
    assert asyncio.run(pool.run(lambda: 42)) == 42
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pool.run(lambda: 1 / 0))


def test_refuses_beyond_threads_and_queue_and_recovers(pool, held):
    async def scenario():
        work = [asyncio.create_task(pool.run(held)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError) as refused:
            await pool.run(lambda: None)
        held.gate.set()
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


def test_caller_that_leaves_keeps_the_place_until_the_work_ends(pool, held):
    async def scenario():
        leaver = asyncio.create_task(pool.run(held))
        await asyncio.to_thread(held.started.wait, WAIT_S)
        leaver.cancel()
        waiting = asyncio.create_task(pool.run(lambda: "second"))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await pool.run(lambda: None)
        held.gate.set()
        return await waiting

    assert asyncio.run(scenario()) == "second"


def test_tells_what_waits_and_what_runs(held):
    told = []
    pool = RequestPool(threads=1, capacity=3, on_change=lambda *state: told.append(state))

    async def scenario():
        running = asyncio.create_task(pool.run(held))
        await asyncio.to_thread(held.started.wait, WAIT_S)
        leaver, waiting = (asyncio.create_task(pool.run(held)) for _ in range(2))
        await asyncio.sleep(0)
        states = told[-1:]
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        states.append(told[-1])
        held.gate.set()
        await asyncio.gather(running, waiting)
        return states

    states = asyncio.run(scenario())
    pool.close()
    assert states == [(2, 1), (1, 1)]
    assert told[-1] == (0, 0)
    assert max(running for _, running in told) == 1
    assert min(min(state) for state in told) == 0


def test_work_sees_the_callers_context(pool):
    variable = contextvars.ContextVar("variable", default="nothing")

    async def scenario():
        variable.set("the caller's")
        return await pool.run(variable.get)

    assert asyncio.run(scenario()) == "the caller's"


def test_event_loop_is_free_while_work_runs(pool, held):
    async def scenario():
        work = asyncio.create_task(pool.run(held))
        await asyncio.sleep(0)
        held.gate.set()  # reached only if the loop is not the one that waits
        return await work

    assert asyncio.run(scenario()) is True


def test_full_queue_is_503_with_retry_after(make_settings, short_wav, held):
    with ready_client(make_settings(inference_threads=1, queue_size=0)) as client:
        busy = client.portal.start_task_soon(client.app.state.services.pool.run, held)
        client.get("/health/live")  # once answered, the loop has started the work above
        answer = client.post("/transcribe", files={"file": short_wav})
        held.gate.set()
        busy.result(WAIT_S)
        after = client.post("/transcribe", files={"file": short_wav})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["type"] == "urn:otoscope:problem:queue-full"
    assert after.status_code == 200


def test_a_request_is_answered_at_its_limit_whatever_its_step_does(pool, held):
    """The step keeps its place until it ends."""

    async def scenario():
        with deadline.applies(Deadline(0.2)), pytest.raises(DeadlineError):
            await pool.run(held)
        began_s = time.monotonic()
        waiting = asyncio.create_task(pool.run(lambda: "second"))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await pool.run(lambda: None)
        held.gate.set()
        return await waiting, time.monotonic() - began_s

    answer, took_s = asyncio.run(scenario())
    assert answer == "second"
    assert took_s < WAIT_S
