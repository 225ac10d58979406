import asyncio

import pytest

from service.middleware.lingering_close import LingeringCloseMiddleware

ANSWER = b"no"


async def refuse(scope, receive, send):
    """An application that answers without a look at the body."""
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": ANSWER})


async def read_and_answer(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await refuse(scope, receive, send)


class Connection:
    """A client that sends chunks, each answered for only when asked; then it stays, or leaves."""

    def __init__(self, chunks, *, leaves=False):
        self.left = list(chunks)
        self.leaves = leaves
        self.sent = []

    async def receive(self):
        if self.left:
            body = self.left.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self.left)}
        if self.leaves:
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()

    async def send(self, message):
        self.sent.append(message)

    def run(self, app, headers, **limits):
        scope = {"type": "http", "headers": headers}
        asyncio.run(LingeringCloseMiddleware(app, **limits)(scope, self.receive, self.send))
        return self.sent


CHUNKED = [(b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize("headers", [CHUNKED, [(b"content-length", b"30")]])
def test_answer_goes_first_and_the_rest_of_the_body_is_dropped(headers):
    connection = Connection([b"x" * 10] * 3)
    start, body, end = connection.run(refuse, headers)
    assert (b"connection", b"close") in start["headers"]
    assert (body["body"], body["more_body"]) == (ANSWER, True)
    assert (end["body"], end["more_body"]) == (b"", False)
    assert connection.left == []


def test_a_body_that_was_read_changes_nothing():
    start, body = Connection([b"x", b"y"]).run(read_and_answer, CHUNKED)
    assert start["headers"] == []
    assert (body["body"], body["more_body"]) == (ANSWER, False)


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"0")]])
def test_a_request_without_a_body_changes_nothing(headers):
    connection = Connection([b""])
    start, _ = connection.run(refuse, headers)
    assert start["headers"] == []
    assert connection.left == [b""]


def test_a_large_body_is_dropped_to_its_end():
    connection = Connection([bytes(2**20)] * 300)
    assert connection.run(refuse, CHUNKED)[-1]["more_body"] is False
    assert connection.left == []


def test_a_body_without_end_is_left_after_a_while():
    class Endless(Connection):
        async def receive(self):
            await asyncio.sleep(0)
            return {"type": "http.request", "body": b"x", "more_body": True}

    assert Endless([]).run(refuse, CHUNKED, max_s=0.05)[-1]["more_body"] is False


def test_a_client_that_sends_no_more_is_not_waited_for():
    connection = Connection([])
    assert connection.run(refuse, CHUNKED, max_s=0.01)[-1]["more_body"] is False


def test_a_client_that_leaves_ends_it():
    connection = Connection([], leaves=True)
    assert connection.run(refuse, CHUNKED, max_s=1e9)[-1]["more_body"] is False


def test_an_error_behind_the_answer_goes_on_its_way():
    async def fail(scope, receive, send):
        await refuse(scope, receive, send)
        raise RuntimeError("the cause")

    connection = Connection([b"x"])
    with pytest.raises(RuntimeError, match="the cause"):
        connection.run(fail, CHUNKED)
    assert connection.sent[-1]["more_body"] is False
