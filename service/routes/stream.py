"""WS /stream: a live stream in, words out while they are spoken."""

import asyncio
import json
import logging
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from otoscope.audio import PcmStream
from otoscope.errors import OtoscopeError
from otoscope.formats.tables import to_json
from otoscope.schemas.streaming import message_json
from otoscope.streaming import StreamingTranscriber
from service.dependencies import Services
from service.errors import ClientGoneError, FormError, ServiceError
from service.http.forms import read_options
from service.http.problems import problem_of
from service.http.stream_options import StreamOptions
from service.inference.live_streams import LiveStream, Pace
from service.inference.threaded_model import Stopwatch, ThreadedModel
from service.websocket_protocol import CLOSING

router = APIRouter(tags=["transcription"])
logger = logging.getLogger(__name__)

_NORMAL, _GOING_AWAY, _POLICY, _INTERNAL, _RESTART, _TRY_LATER = 1000, 1001, 1008, 1011, 1012, 1013
"""Close codes, RFC 6455 (section 7.4.1) and IANA's registry."""

_SAMPLE_BYTES = {"s16le": 2, "f32le": 4, "mulaw": 1, "alaw": 1}


@dataclass
class _End:
    """How a stream ends.

    Attributes:
        code: of the WebSocket's close.
        reason: for people; empty if the client ended it.
    """

    code: int = _NORMAL
    reason: str = ""


@router.websocket("/stream")
async def stream(websocket: WebSocket) -> None:
    """Samples in binary messages; JSON messages out. docs/live.md describes them."""
    services: Services = websocket.app.state.services
    await websocket.accept()
    try:
        services.readiness.require()
        with services.live_streams.place():
            await _serve(websocket, services)
    except (ClientGoneError, WebSocketDisconnect):
        return
    except (OtoscopeError, ServiceError) as error:
        await _refuse(websocket, error)
    except Exception as error:
        logger.exception("a live stream failed")
        await _refuse(websocket, error)


async def _serve(websocket: WebSocket, services: Services) -> None:
    options = read_options(websocket.query_params.multi_items(), StreamOptions)
    spec, stopwatch, end = services.recognizer.spec, Stopwatch(), _End()
    live = LiveStream(
        StreamingTranscriber(
            ThreadedModel(services.recognizer, services.recording_recognizer.threads, stopwatch),
            services.decode_workers.decode,
            options.streaming,
            options.decoding,
            frames=options.probs,
        ),
        PcmStream(options.encoding, options.sample_rate_hz, spec.features.sample_rate_hz),
        services.pool,
        options.sample_rate_hz * _SAMPLE_BYTES[options.encoding],
    )
    await _send(websocket, _ready(services, options))
    reading = asyncio.create_task(_read(websocket, services, live, end))
    try:
        async for told in live.told():
            for each in told:
                if isinstance(each, Pace):
                    await _send(websocket, {"type": "pace", "step_s": round(each.step_s, 3)})
                else:
                    text = message_json(each, spec.frame_s, probs=options.probs).decode()
                    await websocket.send_text(text)
        await reading
        await _send(websocket, {"type": "done", "duration_s": round(live.received_s, 3)})
        await websocket.close(end.code, end.reason)
    finally:
        live.leave()
        reading.cancel()
        services.metrics.add_recording(live.received_s, stopwatch.took_s)


async def _read(websocket: WebSocket, services: Services, live: LiveStream, end: _End) -> None:
    """Put what comes into the stream, until it ends or has to."""
    closing = asyncio.create_task(websocket.scope["state"].get(CLOSING, asyncio.Event()).wait())
    limits = services.stream_limits
    try:
        while True:
            receiving = asyncio.create_task(websocket.receive())
            done, _ = await asyncio.wait(
                {receiving, closing},
                timeout=limits.idle_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if receiving not in done:
                receiving.cancel()
                end.code, end.reason = (
                    (_RESTART, "the service stops")
                    if closing in done
                    else (_GOING_AWAY, f"nothing came for {limits.idle_s:g} s")
                )
            elif await _take(receiving.result(), live):
                return
            elif live.received_s > limits.longest_s:
                end.code, end.reason = _GOING_AWAY, f"it lasted {limits.longest_s:g} s"
            if end.reason:
                await _send(websocket, {"type": "closing", "reason": end.reason})
                live.flush(ends=True)
                return
    except WebSocketDisconnect:
        live.leave()
        live.flush(ends=True)
    except (FormError, RuntimeError) as error:
        live.leave()
        live.flush(ends=True)
        await _refuse(websocket, error)
    finally:
        closing.cancel()


async def _take(message: Message, live: LiveStream) -> bool:
    """Heed a message; whether it ends the stream."""
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    data, text = message.get("bytes"), message.get("text")
    if isinstance(data, bytes):
        await live.put(data)
        return False
    try:
        document = json.loads(str(text))
        kind = document["type"]
    except (ValueError, TypeError, KeyError):
        kind = None
    if kind not in ("flush", "end"):
        raise FormError(
            'expected samples in binary messages, {"type": "flush"} or {"type": "end"}, got '
            f"{text!r:.200}"
        )
    live.flush(ends=kind == "end")
    return bool(kind == "end")


def _ready(services: Services, options: StreamOptions) -> dict[str, object]:
    spec = services.recognizer.spec
    return {
        "type": "ready",
        "model": services.model_name.model_dump(),
        "encoding": options.encoding,
        "sample_rate_hz": options.sample_rate_hz,
        "frame_s": spec.frame_s,
    }


async def _send(websocket: WebSocket, document: dict[str, object]) -> None:
    await websocket.send_text(to_json(document).decode())


async def _refuse(websocket: WebSocket, error: Exception) -> None:
    """Say what is wrong, and close."""
    if websocket.application_state is not WebSocketState.CONNECTED:
        return
    problem = problem_of(error).model_dump(exclude_none=True)
    code = _POLICY if problem["status"] < 500 else _TRY_LATER  # noqa: PLR2004
    if problem["status"] == 500:  # noqa: PLR2004
        code = _INTERNAL
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        problem["retry_after_s"] = retry_after_s
    await _send(websocket, {**problem, "type": "error", "kind": problem["type"]})
    await websocket.close(code)
