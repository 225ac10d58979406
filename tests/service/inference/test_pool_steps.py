"""service.inference.request_pool: work in steps, between which others have their turn."""

import asyncio
import contextvars
import threading
from concurrent.futures import Future

import pytest
from held_work import WAIT_S

from service.errors import ClientGoneError, DeadlineError, QueueFullError
from service.inference import deadline
from service.inference.deadline import Deadline
from service.inference.request_pool import RequestPool, Returned


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


def test_steps_run_and_wait_in_turn():
    told = []
    pool = RequestPool(1, 1, lambda waiting, running: told.append((waiting, running)))
    assert asyncio.run(pool.run_steps(steps([], "a", 2))) == "a"
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pool.run_steps(1 / 0 for _ in range(1)))
    pool.close()
    waits, runs, over = (1, 0), (0, 1), (0, 0)
    assert told == [*(waits, runs) * 2, waits, over, waits, runs, waits, over]


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


def test_long_work_lets_others_go_first_between_its_steps(held):
    log = []

    def long():
        held()
        yield from steps(log, "long", 3)

    async def scenario():
        pool = RequestPool(threads=1, capacity=3)
        work = [
            asyncio.create_task(pool.run_steps(each)) for each in (long(), steps(log, "other", 2))
        ]
        work.append(asyncio.create_task(pool.run(lambda: log.append("short"))))
        await asyncio.sleep(0)
        held.gate.set()
        await asyncio.gather(*work)
        pool.close()

    asyncio.run(scenario())
    assert log == ["long0", "other0", "short", "long1", "other1", "long2"]


def test_work_in_steps_takes_one_place_until_its_end(held):
    async def scenario():
        pool = RequestPool(threads=1, capacity=1)

        def long():
            yield
            held()
            yield

        leaver = asyncio.create_task(pool.run_steps(long()))
        await asyncio.to_thread(held.started.wait, WAIT_S)
        leaver.cancel()
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await pool.run_steps(steps([], "refused", 1))
        held.gate.set()
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
