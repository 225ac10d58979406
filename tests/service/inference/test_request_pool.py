import asyncio
import contextvars
import threading
import time
from concurrent.futures import Future

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.errors import ClientGoneError, DeadlineError, QueueFullError
from service.inference import deadline
from service.inference.deadline import Deadline
from service.inference.request_pool import RequestPool, Returned

WAIT_S = 10.0


@pytest.fixture
def pool():
    pool = RequestPool(threads=1, capacity=2)
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


def test_tells_what_waits_and_what_runs():
    told = []
    pool = RequestPool(threads=1, capacity=3, on_change=lambda *state: told.append(state))

    async def scenario():
        gate, started = threading.Event(), threading.Event()

        def work():
            started.set()
            gate.wait(WAIT_S)

        running = asyncio.create_task(pool.run(work))
        await asyncio.to_thread(started.wait, WAIT_S)
        leaver, waiting = (asyncio.create_task(pool.run(work)) for _ in range(2))
        await asyncio.sleep(0)
        states = told[-1:]
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        states.append(told[-1])
        gate.set()
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


def test_steps_see_the_callers_context(pool):
    variable = contextvars.ContextVar("variable", default="nothing")

    def work():
        seen = [variable.get()]
        yield
        return [*seen, variable.get()]

    async def scenario():
        variable.set("the caller's")
        return await pool.run_steps(work())

    assert asyncio.run(scenario()) == ["the caller's"] * 2


def test_steps_run_and_wait_in_turn():
    told = []
    pool = RequestPool(1, 1, lambda waiting, running: told.append((waiting, running)))
    assert asyncio.run(pool.run_steps(steps([], "a", 2))) == "a"
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pool.run_steps(1 / 0 for _ in range(1)))
    pool.close()
    waits, runs, over = (1, 0), (0, 1), (0, 0)
    assert told == [*(waits, runs) * 2, waits, over, waits, runs, waits, over]


def test_event_loop_is_free_while_work_runs(pool):
    async def scenario():
        gate = threading.Event()
        work = asyncio.create_task(pool.run(lambda: gate.wait(WAIT_S)))
        await asyncio.sleep(0)
        gate.set()  # reached only if the loop is not the one that waits
        return await work

    assert asyncio.run(scenario()) is True


def steps(log, name, count):
    """Work in `count` steps that returns its name."""
    for number in range(count):
        log.append(f"{name}{number}")
        if number + 1 < count:
            yield
    return name


def test_steps_return_and_raise_what_the_work_does(pool):
    def failing():
        yield
        raise ZeroDivisionError

    assert asyncio.run(pool.run_steps(steps([], "a", 3))) == "a"
    assert asyncio.run(pool.run_steps(steps([], "a", 1))) == "a"
    for _ in range(5):  # each gives its place back
        with pytest.raises(ZeroDivisionError):
            asyncio.run(pool.run_steps(failing()))


def test_long_work_lets_others_go_first_between_its_steps():
    log, gate = [], threading.Event()

    def long():
        gate.wait(WAIT_S)
        yield from steps(log, "long", 3)

    async def scenario():
        pool = RequestPool(threads=1, capacity=3)
        work = [
            asyncio.create_task(pool.run_steps(each)) for each in (long(), steps(log, "other", 2))
        ]
        work.append(asyncio.create_task(pool.run(lambda: log.append("short"))))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*work)
        pool.close()

    asyncio.run(scenario())
    assert log == ["long0", "other0", "short", "long1", "other1", "long2"]


def test_work_in_steps_takes_one_place_until_its_end():
    async def scenario():
        pool = RequestPool(threads=1, capacity=1)
        gate, started = threading.Event(), threading.Event()

        def long():
            yield
            started.set()
            gate.wait(WAIT_S)
            yield

        leaver = asyncio.create_task(pool.run_steps(long()))
        await asyncio.to_thread(started.wait, WAIT_S)
        leaver.cancel()
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await pool.run_steps(steps([], "refused", 1))
        gate.set()
        await asyncio.to_thread(pool.close)

    asyncio.run(scenario())


def test_closing_between_steps_ends_the_work():
    async def scenario():
        pool = RequestPool(threads=1, capacity=1)

        def long():
            pool._executor.shutdown(wait=False)  # as `close`, which would wait for this very step
            yield
            raise AssertionError("expected no step after closing")

        with pytest.raises(RuntimeError, match="after shutdown"):
            await pool.run_steps(long())

    asyncio.run(scenario())


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


def test_a_request_is_answered_at_its_limit_whatever_its_step_does(pool):
    """The step keeps its place until it ends."""

    async def scenario():
        gate, started = threading.Event(), threading.Event()

        def work():
            started.set()
            gate.wait(WAIT_S)

        with deadline.applies(Deadline(0.2)), pytest.raises(DeadlineError):
            await pool.run(work)
        began_s = time.monotonic()
        waiting = asyncio.create_task(pool.run(lambda: "second"))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await pool.run(lambda: None)
        gate.set()
        return await waiting, time.monotonic() - began_s

    answer, took_s = asyncio.run(scenario())
    assert answer == "second"
    assert took_s < WAIT_S


def test_what_waits_for_something_else_keeps_no_thread(pool):
    async def scenario():
        search = Future()

        def searching():
            yield search
            return search.result()

        waiting = asyncio.create_task(pool.run_steps(searching()))
        others = [await pool.run(lambda: "greedy") for _ in range(3)]
        search.set_result("found")
        return others, await waiting

    assert asyncio.run(scenario()) == (["greedy"] * 3, "found")


@pytest.mark.parametrize("end", ["client", "time"])
def test_a_wait_ends_with_its_request(pool, end):
    async def scenario():
        search = Future()

        def searching():
            yield search

        request = Deadline(0.3 if end == "time" else 600.0)
        with deadline.applies(request):
            waiting = asyncio.create_task(pool.run_steps(searching()))
        await asyncio.sleep(0.05)
        if end == "client":
            request.cancel()
        with pytest.raises(DeadlineError if end == "time" else ClientGoneError):
            await asyncio.wait_for(waiting, WAIT_S)
        return search.cancelled(), pool._admitted

    assert asyncio.run(scenario()) == (True, 0)


def test_a_place_counts_before_there_is_work(pool):
    async def scenario():
        with pool.place(), pool.place() as place:
            with pytest.raises(QueueFullError):
                await pool.run(lambda: None)
            assert await place.run_steps(steps([], "work", 2)) == "work"
        return await pool.run(lambda: "free again")

    assert asyncio.run(scenario()) == "free again"


def test_steps_tell_in_order_and_wait_for_who_listens(pool):
    taken = []

    def work():
        yield "first"
        taken.append("second step")
        yield None
        yield "second"
        return 42

    async def scenario():
        with pool.place() as place:
            told = place.stream_steps(work())
            seen = [await anext(told)]
            await asyncio.sleep(0.1)
            assert taken == []
            return seen + [each async for each in told]

    assert asyncio.run(scenario()) == ["first", "second", Returned(42)]


def test_steps_that_tell_raise_and_wait_as_others(pool):
    def work():
        yield "first"
        waited = Future()
        threading.Timer(0.1, waited.set_result, ["done"]).start()
        yield waited
        assert waited.done()
        yield "second"
        raise ZeroDivisionError

    async def scenario():
        with pool.place() as place:
            told = place.stream_steps(work())
            seen = [await anext(told), await anext(told)]
            with pytest.raises(ZeroDivisionError):
                await anext(told)
        return seen

    assert asyncio.run(scenario()) == ["first", "second"]
