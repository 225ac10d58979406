import asyncio
from contextlib import asynccontextmanager

import pytest
import uvicorn

from service import protocol as protocol_module
from service.protocol import Protocol
from service.websocket_protocol import WebSocketProtocol

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


async def answer(scope, receive, send):
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"heard"})


@asynccontextmanager
async def serving(app=answer, ws="none", **limits):
    protocol = type("Limited", (Protocol,), limits)
    config = uvicorn.Config(
        app, port=0, http=protocol, ws=ws, lifespan="off", log_config=None, loop="none"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await asyncio.wait_for(task, 30)


async def refused(port):
    """Wait until nobody listens there."""
    for _ in range(1000):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was waiting to be accepted at the end
            continue
        writer.close()
        await asyncio.sleep(0.01)
    raise AssertionError("the server still listens")


def test_a_connection_made_before_the_stop_is_answered_and_closed():
    async def exchange():
        async with serving() as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.05)  # until it is accepted
            server.should_exit = True
            await refused(port)
            writer.write(REQUEST)
            return await asyncio.wait_for(reader.read(), 30)

    assert asyncio.run(exchange()).endswith(b"heard")


@pytest.mark.parametrize("sent", [b"", REQUEST], ids=["silent", "idle"])
def test_a_connection_that_asks_nothing_does_not_keep_the_server(sent):
    async def wait_for_end():
        async with serving() as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            await (reader.readuntil(b"heard") if sent else asyncio.sleep(0.05))
            server.should_exit = True
            return await asyncio.wait_for(reader.read(), 30)

    assert asyncio.run(wait_for_end()) == b""


def exchanged(write, app=answer, **limits):
    """What a client gets until its connection ends, after `write` has written."""

    async def exchange():
        async with serving(app, **limits) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writing = asyncio.create_task(write(writer))
            try:
                return await asyncio.wait_for(reader.read(), 60)
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)

    return asyncio.run(exchange())


def sending(data):
    async def write(writer):
        writer.write(data)
        await writer.drain()

    return write


async def forever(writer, start, piece, pause_s):
    writer.write(start)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause_s)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET / HTTP/1.1\r\n", b"A: b\r\n" * 1000),
        (b"GET / HTTP/1.1\r\nA: ", b"x" * 10_000),
        (b"GET / HTTP/1.1\r\n", b"x" * 10_000),
        (b"GET /", b"x" * 10_000),
    ],
    ids=["many headers", "a long header", "a long name", "a long path"],
)
def test_a_head_without_end_is_refused(start, piece):
    said = exchanged(lambda writer: forever(writer, start, piece, 0.001))
    assert said.startswith(b"HTTP/1.1 431 ")
    assert b"expected headers of at most 65536 bytes" in said


def test_a_long_head_in_one_piece_is_refused():
    head = b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n"
    assert exchanged(sending(head)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "behind",
    [REQUEST, REQUEST[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ids=["a request", "a WebSocket"],
)
@pytest.mark.parametrize("more", [b"", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"])
def test_what_comes_behind_a_refused_head_is_not_executed(more, behind, caplog):
    executed = []

    async def note(scope, receive, send):
        executed.append(scope["path"])
        await answer(scope, receive, send)

    head = b"GET /long HTTP/1.1\r\n" + more + b"A: " + b"x" * 70_000 + b"\r\n\r\n"
    said = exchanged(sending(head + behind), note, ws=WebSocketProtocol)
    assert said.startswith(b"HTTP/1.1 431 ")
    assert said.count(b"HTTP/1.1") == 1
    assert executed == []
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []


def test_an_ordinary_head_passes():
    head = b"GET / HTTP/1.1\r\nConnection: close\r\nA: " + b"x" * 50_000 + b"\r\n\r\n"
    assert exchanged(sending(head)).endswith(b"heard")


async def read_all(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await answer(scope, receive, send)


@pytest.mark.parametrize(
    "piece", [b"A: b\r\n" * 1000, b"x" * 10_000], ids=["trailers", "one trailer"]
)
def test_trailers_without_end_are_refused(piece):
    start = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    said = exchanged(lambda writer: forever(writer, start, piece, 0.001), read_all)
    assert said.startswith(b"HTTP/1.1 431 ")


def test_what_comes_behind_a_whole_request_does_not_take_its_answer():
    request = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nxNO HTTP\r\n\r\n"
    said = exchanged(sending(request), read_all)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in said
    assert said.endswith(b"heard")


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\n", REQUEST + b"GET /"])
def test_a_head_that_trickles_is_refused(start):
    said = exchanged(lambda writer: forever(writer, start, b"A", 0.05), head_s=0.3)
    assert b"HTTP/1.1 408 Request Timeout" in said
    assert b"expected a request's headers within 0.3 s" in said


def test_a_connection_without_a_request_is_closed():
    assert exchanged(sending(b""), head_s=0.2) == b""


@pytest.mark.parametrize("more", [0, 2**20, 2**25])
def test_what_is_no_request_is_told_so_though_more_of_it_comes(more):
    """A connection that is closed while bytes come is reset, and its answer may be lost."""
    said = exchanged(sending(b"NO HTTP\r\n\r\n" + bytes(more)))
    assert said.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"application/problem+json" in said


async def large(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1000):
        await send({"type": "http.response.body", "body": bytes(2**16), "more_body": True})
    await send({"type": "http.response.body"})


def test_a_client_that_does_not_read_is_left():
    async def leave():
        ended = asyncio.Event()

        async def app(scope, receive, send):
            await large(scope, receive, send)
            ended.set()

        async with serving(app, unread_s=0.3) as (server, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**10)
            writer.write(REQUEST)
            await asyncio.wait_for(ended.wait(), 30)
            connections = len(server.server_state.connections)
            writer.transport.abort()
        return connections

    assert asyncio.run(leave()) == 0


def test_a_client_that_reads_gets_a_large_answer_whole():
    said = exchanged(sending(b"GET / HTTP/1.0\r\n\r\n"), large, unread_s=0.5)
    assert len(said) > 1000 * 2**16


def test_a_body_that_trickles_does_not_keep_the_server(monkeypatch):
    monkeypatch.setattr(protocol_module, "_STOPPING_S", 0.3)

    async def stop():
        async with serving(read_all) as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            start = b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"
            writing = asyncio.create_task(forever(writer, start, b"x", 0.05))
            await asyncio.sleep(0.2)
            server.should_exit = True
            said = await asyncio.wait_for(reader.read(), 30)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            return said

    assert asyncio.run(stop()) == b""


def test_a_body_that_comes_quickly_is_answered_after_the_stop(monkeypatch):
    monkeypatch.setattr(protocol_module, "_STOPPING_S", 0.1)

    async def stop():
        async with serving(read_all) as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
            for number in range(20):
                writer.write(bytes(50_000))
                await asyncio.sleep(0.05)
                server.should_exit = number > 2
            return await asyncio.wait_for(reader.read(), 30)

    assert asyncio.run(stop()).endswith(b"heard")


async def tell_host(scope, receive, send):
    hosts = b" ".join(value for name, value in scope["headers"] if name == b"host")
    headers = [(b"content-length", str(len(hosts)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": hosts})


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"/", b"test"),
        (b"//evil.example/", b"test"),
        (b"http://evil.example/", b"evil.example"),
        (b"http://localhost:80@evil.example:8000/a", b"evil.example"),
        (b"HTTP://[::1]:8000/a", b"[::1]"),
    ],
)
def test_the_host_of_a_whole_url_counts(target, host):
    request = b"GET " + target + b" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    assert exchanged(sending(request), tell_host).endswith(b"\r\n\r\n" + host)


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
@pytest.mark.parametrize("body", [b"", b"some"])
def test_a_wish_for_another_protocol_is_passed_over_in_silence(protocol, body, caplog):
    head = b"Connection: Upgrade\r\nUpgrade: %b\r\nContent-Length: %d\r\n\r\n"
    answered = exchanged(sending(REQUEST[:-2] + head % (protocol, len(body)) + body))
    assert answered.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answered
    assert answered.endswith(b"heard")
    assert [each.message for each in caplog.records if each.levelname == "WARNING"] == []
