import asyncio
from contextlib import asynccontextmanager

import uvicorn

from service.graceful_shutdown import GracefulProtocol

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


async def answer(scope, receive, send):
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"heard"})


@asynccontextmanager
async def serving():
    config = uvicorn.Config(
        answer, port=0, http=GracefulProtocol, lifespan="off", log_config=None, loop="none"
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


def test_a_silent_connection_does_not_keep_the_server():
    async def wait_for_end():
        async with serving() as (server, port):
            reader, _ = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.05)
            server.should_exit = True
            return await asyncio.wait_for(reader.read(), 30)

    assert asyncio.run(wait_for_end()) == b""


def test_an_idle_connection_is_closed():
    async def wait_for_end():
        async with serving() as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(REQUEST)
            await reader.readuntil(b"heard")
            server.should_exit = True
            return await asyncio.wait_for(reader.read(), 30)

    assert asyncio.run(wait_for_end()) == b""
