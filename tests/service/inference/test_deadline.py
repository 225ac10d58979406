import asyncio
import threading

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.errors import ClientGoneError, DeadlineError
from service.inference import deadline
from service.inference.deadline import Deadline, DeadlineMiddleware
from service.inference.pool import Pool

WAIT_S = 10.0
SCOPE = {"type": "http"}


def test_it_lasts_until_its_end():
    Deadline(WAIT_S).check()
    Deadline(float("inf")).check()
    with pytest.raises(DeadlineError, match="expected to answer within 0 s"):
        Deadline(0.0).check()


def test_it_ends_when_the_client_leaves():
    one = Deadline(WAIT_S)
    one.leave()
    with pytest.raises(ClientGoneError):
        one.check()


def test_outside_of_a_request_there_is_no_end():
    deadline.current().check()


def drive(app, messages, limit_s=WAIT_S):
    """Run `app` behind the middleware on a connection that gives `messages` as they come."""

    async def scenario():
        inbox = asyncio.Queue()
        for message in messages:
            inbox.put_nowait(message)

        async def send(_):
            pass

        await DeadlineMiddleware(lambda *args: app(inbox, *args), limit_s=limit_s)(
            SCOPE, inbox.get, send
        )

    asyncio.run(asyncio.wait_for(scenario(), WAIT_S))


BODY = {"type": "http.request", "body": b"all", "more_body": False}
GONE = {"type": "http.disconnect"}


def test_a_client_that_leaves_while_its_work_waits_is_noticed():
    seen = []

    async def app(inbox, scope, receive, send):
        assert await receive() == BODY
        mine = deadline.current()
        seen.append(mine.ended())
        inbox.put_nowait(GONE)
        seen.append(await receive())  # who asks hears it too
        assert isinstance(mine.ended(), ClientGoneError)

    drive(app, [BODY])
    assert seen == [None, GONE]


def test_a_client_that_leaves_before_its_body_is_whole_is_noticed():
    async def app(_, scope, receive, send):
        part = await receive()
        assert part["more_body"]
        assert deadline.current().ended() is None
        assert await receive() == GONE
        assert isinstance(deadline.current().ended(), ClientGoneError)

    drive(app, [{**BODY, "more_body": True}, GONE])


def test_each_request_has_its_own_time():
    async def app(_, scope, receive, send):
        assert isinstance(deadline.current().ended(), DeadlineError)

    drive(app, [BODY], limit_s=0.0)
    assert deadline.current().ended() is None


def test_work_that_waits_for_one_who_left_is_never_begun():
    begun = []

    async def scenario():
        pool = Pool(threads=1, queue_size=1)
        gate = threading.Event()
        first = asyncio.create_task(pool.run(lambda: gate.wait(WAIT_S)))
        await asyncio.sleep(0)
        mine = Deadline(WAIT_S)
        deadline._current.set(mine)
        second = asyncio.create_task(pool.run(lambda: begun.append("work")))
        await asyncio.sleep(0)
        mine.leave()
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
