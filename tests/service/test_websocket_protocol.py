"""WebSockets of a real server whose client or application is late."""

import asyncio
from contextlib import asynccontextmanager

import uvicorn
from websockets.asyncio.client import connect

from service.websocket_protocol import WebSocketProtocol

MESSAGES = 100
SIZE_BYTES = 2**16


@asynccontextmanager
async def serving(app, **attributes):
    """Address of a server that looks after its clients ten times a second."""
    config = uvicorn.Config(
        app,
        port=0,
        ws=type("Hasty", (WebSocketProtocol,), attributes),
        ws_ping_interval=0.1,
        ws_ping_timeout=0.1,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


def test_a_client_whose_audio_waits_is_not_taken_for_gone():
    """Its pongs wait behind what the application has not read."""
    received = []

    async def read_late(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(1)
        while len(received) < MESSAGES and "bytes" in (message := await receive()):
            received.append(len(message["bytes"]))
        await send({"type": "websocket.close"})

    async def scenario():
        async with (
            serving(read_late) as uri,
            connect(uri, compression=None, ping_timeout=None) as socket,
        ):
            for _ in range(MESSAGES):
                await socket.send(bytes(SIZE_BYTES))
            await socket.wait_closed()
            return socket.close_code

    assert asyncio.run(asyncio.wait_for(scenario(), 60)) == 1000
    assert received == [SIZE_BYTES] * MESSAGES


def test_a_client_that_does_not_read_is_left():
    async def scenario():
        ended = asyncio.Event()

        async def tell(scope, receive, send):
            await receive()
            await send({"type": "websocket.accept"})
            try:
                while True:
                    await send({"type": "websocket.send", "bytes": bytes(SIZE_BYTES)})
            finally:
                ended.set()

        async with (
            serving(tell, unread_s=0.3) as uri,
            connect(uri, compression=None, max_queue=1, ping_interval=None) as socket,
        ):
            await asyncio.wait_for(ended.wait(), 30)
            socket.transport.abort()

    asyncio.run(asyncio.wait_for(scenario(), 60))
