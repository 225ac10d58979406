import asyncio

import pytest
from fastapi import FastAPI

from service.errors import SendingFullError
from service.http.problems import add_handlers
from service.middleware.send_limit import PIECE_BYTES, SendLimitMiddleware


class Client:
    """Reads what is sent to it once it is let."""

    def __init__(self, *, reads=True):
        self.may_read = asyncio.Event()
        if reads:
            self.may_read.set()
        self.messages = []

    async def send(self, message):
        self.messages.append(message)
        if message["type"] == "http.response.body":
            await self.may_read.wait()

    @property
    def status(self):
        return self.messages[0]["status"]

    @property
    def body(self):
        return b"".join(each.get("body", b"") for each in self.messages)


def limited(max_bytes, size):
    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(size)})

    app = FastAPI()
    add_handlers(app, {})
    middleware = SendLimitMiddleware(answer, max_bytes)

    async def ask(client):
        scope = {"type": "http", "app": app, "method": "GET", "path": "/", "headers": []}
        await middleware(scope, None, client.send)

    return ask


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 10 * PIECE_BYTES])
def test_a_body_arrives_whole_and_in_pieces(size):
    async def scenario():
        client = Client()
        await limited(2**20, size)(client)
        return client

    client = asyncio.run(scenario())
    assert client.body == bytes(size)
    assert max(len(each.get("body", b"")) for each in client.messages) <= PIECE_BYTES
    assert [each.get("more_body", False) for each in client.messages[1:]] == [
        *[True] * (len(client.messages) - 2),
        False,
    ]


def test_one_piece_at_most_waits_in_the_connection_of_who_does_not_read():
    async def scenario():
        client = Client(reads=False)
        sending = asyncio.create_task(limited(2**30, 100 * PIECE_BYTES)(client))
        await asyncio.sleep(0.05)
        sending.cancel()
        return client

    assert len(asyncio.run(scenario()).body) == PIECE_BYTES


def test_beyond_the_bound_large_answers_are_refused_and_small_ones_sent():
    async def scenario():
        ask = limited(5 * PIECE_BYTES, 3 * PIECE_BYTES)
        slow, refused = Client(reads=False), Client()
        sending = asyncio.create_task(ask(slow))
        await asyncio.sleep(0.01)
        await ask(refused)
        slow.may_read.set()
        await sending
        again = Client()
        await ask(again)
        return refused, again

    refused, again = asyncio.run(scenario())
    assert refused.status == 503
    assert (b"retry-after", b"5") in refused.messages[0]["headers"]
    assert b"sending-full" in refused.body
    assert str(SendingFullError.retry_after_s).encode() in refused.body
    assert (again.status, len(again.body)) == (200, 3 * PIECE_BYTES)


def test_the_only_one_may_exceed_the_bound():
    async def scenario():
        client = Client()
        await limited(10, 3 * PIECE_BYTES)(client)
        return client

    assert asyncio.run(scenario()).status == 200


def test_who_leaves_gives_the_room_back():
    async def scenario():
        ask = limited(5 * PIECE_BYTES, 4 * PIECE_BYTES)
        leaver, next_one = Client(reads=False), Client()
        sending = asyncio.create_task(ask(leaver))
        await asyncio.sleep(0.01)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await ask(next_one)
        return next_one

    assert asyncio.run(scenario()).status == 200
