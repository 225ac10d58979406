"""`service.server`: a request whose connection was made before the end is answered."""

import asyncio
import errno
import select
import signal
import socket
import sys

import pytest
import uvicorn

from service.server import Server, hold_back

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="connections are held back on Linux")
REQUEST = b"GET / HTTP/1.1\r\nHost: any\r\n\r\n"


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def connect(listening, timeout_s=60.0):
    return socket.create_connection(listening.getsockname(), timeout_s)


@on_linux
def test_no_new_connection_is_made_and_none_that_is_made_is_lost(listening):
    with connect(listening) as made:
        hold_back([listening])
        with pytest.raises(TimeoutError):
            connect(listening, timeout_s=0.3)
        made.sendall(b"asked")
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.recv(5) == b"asked"
            accepted.sendall(b"answered")
            assert made.recv(8) == b"answered"


@on_linux
def test_held_back_are_refused_once_it_is_closed(listening):
    address = listening.getsockname()
    hold_back([listening])
    with socket.socket() as late:
        late.setblocking(False)
        late.connect_ex(address)
        listening.close()
        select.select([], [late], [], 60)  # until its opening segment has been sent again
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def test_sockets_that_are_not_tcp_are_left_alone(tmp_path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        hold_back([listening])


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def stop_while_connected(loop_signal):
    """What a connection that was made before a signal, and asks after it, is answered."""
    server = Server(uvicorn.Config(application, port=0, log_level="error"), settle_s=3.0)
    running = asyncio.create_task(server._serve())  # as serve(), whose signals are the process'
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    server.handle_exit(loop_signal, None)
    await asyncio.sleep(0.5)  # by then it stops: it looks every tenth of a second
    writer.write(REQUEST)
    try:
        return await reader.read()
    finally:
        writer.close()
        await running


def test_a_connection_that_is_made_is_answered_after_the_signal():
    assert asyncio.run(stop_while_connected(signal.SIGTERM)).startswith(b"HTTP/1.1 204 ")


def test_nobody_waits_after_ctrl_c():
    try:
        answer = asyncio.run(stop_while_connected(signal.SIGINT))
    except ConnectionResetError:
        answer = b""
    assert answer == b""
