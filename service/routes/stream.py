"""WS /stream and WS /v1/realtime: live streams in, words out while they are spoken."""

from fastapi import APIRouter
from starlette.websockets import WebSocket

from otoscope.errors import OptionsError
from service.dependencies import Services
from service.live.plain import PlainDialect
from service.live.realtime import RealtimeDialect
from service.live.sockets import refuse, serve

router = APIRouter(tags=["transcription"])

_PROTOCOL, _REALTIME_PROTOCOL = "otoscope", "realtime"
"""Subprotocols of these APIs: a browser that offers its key as one needs another to be selected."""


@router.websocket("/stream")
async def stream(websocket: WebSocket) -> None:
    """Samples in binary messages; JSON messages out. docs/live.md describes them."""
    services: Services = websocket.app.state.services
    await websocket.accept(_chosen(websocket, _PROTOCOL))
    dialect = PlainDialect(services)
    try:
        dialect.open(websocket)
    except OptionsError as error:
        await refuse(websocket, dialect, error)
    else:
        await serve(websocket, services, dialect)


@router.websocket("/v1/realtime")
async def realtime(websocket: WebSocket) -> None:
    """OpenAI's protocol, transcription sessions alone."""
    services: Services = websocket.app.state.services
    await websocket.accept(_chosen(websocket, _REALTIME_PROTOCOL))
    await serve(websocket, services, RealtimeDialect(services, websocket.query_params))


def _chosen(websocket: WebSocket, protocol: str) -> str | None:
    return protocol if protocol in websocket.scope["subprotocols"] else None
