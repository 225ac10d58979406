import asyncio
import threading

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.errors import ClientGoneError, DeadlineError
from service.inference import deadline
from service.inference.deadline import Deadline, applies
from service.inference.request_pool import RequestPool

WAIT_S = 10.0


def test_it_lasts_until_its_end():
    Deadline(WAIT_S).raise_if_over()
    Deadline(float("inf")).raise_if_over()
    with pytest.raises(DeadlineError, match="expected to answer within 0 s"):
        Deadline(0.0).raise_if_over()


def test_it_ends_when_the_client_leaves():
    one = Deadline(WAIT_S)
    one.cancel()
    with pytest.raises(ClientGoneError):
        one.raise_if_over()


def test_outside_of_a_request_there_is_no_end():
    deadline.current().raise_if_over()


def test_work_that_waits_for_one_who_left_is_never_begun():
    begun = []

    async def scenario():
        pool = RequestPool(threads=1, capacity=2)
        gate = threading.Event()
        first = asyncio.create_task(pool.run(lambda: gate.wait(WAIT_S)))
        await asyncio.sleep(0)
        mine = Deadline(WAIT_S)
        with applies(mine):
            second = asyncio.create_task(pool.run(lambda: begun.append("work")))
        await asyncio.sleep(0)
        mine.cancel()
        gate.set()
        assert await first
        with pytest.raises(ClientGoneError):
            await second
        await asyncio.to_thread(pool.close)

    asyncio.run(scenario())
    assert begun == []


def test_too_late_an_answer_is_503_and_says_when_to_come_again(make_settings, short_wav):
    with TestClient(create_app(make_settings(max_request_s=1e-6))) as client:
        answer = client.post("/transcribe", files={"file": short_wav})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert answer.json()["type"] == "urn:otoscope:problem:deadline"
