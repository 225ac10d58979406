"""WebSockets of a real server whose application reads them late."""

import asyncio

import uvicorn
from websockets.asyncio.client import connect

from service.websocket_protocol import WebSocketProtocol

MESSAGES = 100
SIZE_BYTES = 2**16


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
        config = uvicorn.Config(
            read_late,
            port=0,
            ws=WebSocketProtocol,
            ws_ping_interval=0.1,
            ws_ping_timeout=0.1,
            lifespan="off",
            log_config=None,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        uri = f"ws://127.0.0.1:{port}"
        async with connect(uri, compression=None, ping_timeout=None) as socket:
            for _ in range(MESSAGES):
                await socket.send(bytes(SIZE_BYTES))
            await socket.wait_closed()
        server.should_exit = True
        await serving
        return socket.close_code

    assert asyncio.run(asyncio.wait_for(scenario(), 60)) == 1000
    assert received == [SIZE_BYTES] * MESSAGES
