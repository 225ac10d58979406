"""Deadlines of requests: an ASGI application behind the middleware, on scripted connections."""

import asyncio

import pytest

from service.errors import ClientGoneError, DeadlineError
from service.inference import deadline
from service.middleware.deadline import DeadlineMiddleware

WAIT_S = 10.0
HEADERS = [(b"content-length", b"3")]


def drive(app, messages, limit_s=WAIT_S, headers=HEADERS):
    """Run `app` behind the middleware on a connection that gives `messages` as they come."""

    async def scenario():
        inbox = asyncio.Queue()
        for message in messages:
            inbox.put_nowait(message)

        async def send(_):
            pass

        await DeadlineMiddleware(lambda *args: app(inbox, *args), limit_s=limit_s)(
            {"type": "http", "headers": headers}, inbox.get, send
        )

    asyncio.run(asyncio.wait_for(scenario(), WAIT_S))


BODY = {"type": "http.request", "body": b"all", "more_body": False}
GONE = {"type": "http.disconnect"}


def test_a_client_that_leaves_while_its_work_waits_is_noticed():
    seen = []

    async def app(inbox, scope, receive, send):
        assert await receive() == BODY
        mine = deadline.current()
        mine.raise_if_over()
        inbox.put_nowait(GONE)
        seen.append(await receive())  # the application gets the message as well
        with pytest.raises(ClientGoneError):
            mine.raise_if_over()

    drive(app, [BODY])
    assert seen == [GONE]


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"0")]])
def test_a_client_that_leaves_is_noticed_though_nobody_reads_its_empty_request(headers):
    empty = {**BODY, "body": b""}

    async def work_on():
        while True:
            await asyncio.sleep(0)
            deadline.current().raise_if_over()

    async def app(inbox, scope, receive, send):
        deadline.current().raise_if_over()
        inbox.put_nowait(GONE)
        with pytest.raises(ClientGoneError):
            await work_on()
        assert [await receive() for _ in range(3)] == [empty, GONE, GONE]

    drive(app, [empty], headers=headers)


def test_a_client_that_leaves_before_its_body_is_whole_is_noticed():
    async def app(_, scope, receive, send):
        part = await receive()
        assert part["more_body"]
        deadline.current().raise_if_over()
        assert await receive() == GONE
        with pytest.raises(ClientGoneError):
            deadline.current().raise_if_over()

    drive(app, [{**BODY, "more_body": True}, GONE])


def test_each_request_has_its_own_time():
    async def app(_, scope, receive, send):
        with pytest.raises(DeadlineError):
            deadline.current().raise_if_over()

    drive(app, [BODY], limit_s=0.0)
    deadline.current().raise_if_over()
