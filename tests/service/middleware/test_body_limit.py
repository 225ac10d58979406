import asyncio

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.errors import UploadStalledError, UploadTooLargeError
from service.inference.deadline import Deadline, applies
from service.middleware.body_limit import BodyLimitMiddleware


def test_largest_body_is_taken_and_one_byte_more_is_not(make_settings, short_wav):
    request = TestClient(create_app(make_settings())).build_request(
        "POST", "http://testserver/transcribe", files={"file": short_wav}
    )
    size = len(request.read())
    statuses = []
    for limit in (size, size - 1):
        settings = make_settings(max_upload_bytes=limit)
        with TestClient(create_app(settings)) as client:
            answer = client.send(request)
            statuses.append(answer.status_code)
    assert statuses == [200, 413]
    assert answer.headers["connection"] == "close"  # or the server would read the rest


async def read_all(scope, receive, send):
    """An application that reads its request to the end."""
    while (await receive()).get("more_body"):
        pass


def read_through_limit(messages, headers=(), max_bytes=10, max_pause_s=0.01):
    """Let `read_all` read messages, and then nothing for ever, through a BodyLimitMiddleware."""
    waiting = iter(messages)

    async def receive():
        for body, more in waiting:
            return {"type": "http.request", "body": body, "more_body": more}
        return await asyncio.Event().wait()

    limit = BodyLimitMiddleware(read_all, max_bytes=max_bytes, max_pause_s=max_pause_s)
    asyncio.run(limit({"type": "http", "headers": list(headers)}, receive, None))


def test_body_that_stops_arriving_is_given_up():
    with pytest.raises(UploadStalledError, match=r"for 0\.01 s"):
        read_through_limit([(b"abc", True)])


def test_announced_size_is_refused_before_anything_is_read():
    with pytest.raises(UploadTooLargeError, match="at most 10 bytes, got 11"):
        read_through_limit([], [(b"content-length", b"11")])


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"3")]])
def test_size_counts_whatever_was_announced(headers):
    read_through_limit([(b"12345", True), (b"67890", False)], headers)
    with pytest.raises(UploadTooLargeError, match="at most 10 bytes, got 11"):
        read_through_limit([(b"12345", True), (b"678901", True)], headers)


def test_waiting_for_the_client_to_leave_has_no_limit():
    async def scenario():
        entered, left = asyncio.Event(), asyncio.Event()
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            entered.set()
            await left.wait()
            return {"type": "http.disconnect"}

        async def wait(scope, receive, send):
            await receive()
            return await receive()

        limit = BodyLimitMiddleware(wait, max_bytes=10, max_pause_s=1e-3)
        waiting = asyncio.create_task(limit({"type": "http", "headers": []}, receive, None))
        await entered.wait()
        await asyncio.sleep(0.02)
        assert not waiting.done()
        left.set()
        await waiting

    asyncio.run(scenario())


def trickle(pause_s, limit_s, **limits):
    """Let `read_all` read a byte each `pause_s` seconds for ever."""

    async def receive():
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def scenario():
        with applies(Deadline(limit_s)):
            limit = BodyLimitMiddleware(read_all, **limits)
            await limit({"type": "http", "headers": []}, receive, None)

    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_a_body_that_trickles_is_given_up():
    with pytest.raises(UploadStalledError, match="fewer than 1000 bytes a second"):
        trickle(0.01, 600.0, max_bytes=10**6, max_pause_s=0.2)


def test_a_body_has_no_longer_than_its_request():
    with pytest.raises(UploadStalledError, match="not whole when the request's time was over"):
        trickle(0.01, 0.2, max_bytes=10**6, max_pause_s=30.0)
