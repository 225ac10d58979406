"""A live stream over a WebSocket: reads its input, sends its events, and enforces limits."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from otoscope.audio import CONTAINER_NAMES, ContainerName, PcmEncoding, PcmStream, StreamDecoder
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError
from otoscope.streaming import StreamingOptions, StreamingTranscriber
from otoscope.transcript import Style
from service.dependencies import Services
from service.errors import ClientGoneError, ServiceError
from service.inference.live_streams import LiveStream, StreamEvent
from service.inference.threaded_model import Stopwatch, ThreadedModel
from service.live.coded import CodedStream
from service.live.waiting import Waiting
from service.served_models import ServedModel
from service.websocket_protocol import CLOSING, SET_MAX_MESSAGE

_NORMAL, _GOING_AWAY, _POLICY, _INTERNAL, _RESTART, _TRY_LATER = 1000, 1001, 1008, 1011, 1012, 1013
"""Close codes, RFC 6455 (section 7.4.1) and IANA's registry."""

_SERVER_ERRORS, _UNEXPECTED = 500, 500

logger = logging.getLogger(__name__)


class Dialect(Protocol):
    """How an API speaks about a stream. Each method but `take` gives messages to send.

    Attributes:
        stream: set as soon as there is one.
        max_message_bytes: longer messages of the client close the connection.
    """

    stream: "asyncio.Future[Opened]"
    max_message_bytes: int

    def greet(self) -> list[str]:
        """First of all."""

    async def take(self, message: Message) -> tuple[bool, list[str]]:
        """Heed what the client sends; whether that ends the stream.

        Raises:
            OtoscopeError, ServiceError: if that can't be forgiven.
        """

    def messages(self, event: StreamEvent) -> list[str]:
        """Messages about an event."""

    def closing(self, reason: str) -> list[str]:
        """Why the service ends the stream."""

    def done(self, received_s: float) -> list[str]:
        """Last of all, after so much audio."""

    def refuse(self, error: Exception) -> tuple[int, list[str]]:
        """What is wrong, with the HTTP status that it has elsewhere."""


@dataclass(frozen=True)
class Opened:
    """A stream.

    Attributes:
        live: transcribes it.
        stopwatch: times of its stages.
        coded: decodes WebM or Ogg; None for a stream of bare samples.
    """

    live: LiveStream
    stopwatch: Stopwatch
    coded: CodedStream | None = None

    @property
    def inlet(self) -> LiveStream | CodedStream:
        """Where its bytes go."""
        return self.coded or self.live

    async def finish(self) -> None:
        """End the input, after everything that was put in."""
        if self.coded is not None:
            await self.coded.finish()
        self.live.end()

    def leave(self) -> None:
        """Cancel the work: the client has gone."""
        self.live.leave()
        if self.coded is not None:
            self.coded.leave()


@dataclass
class _End:
    """How a stream ends: the WebSocket's close code, and why, if not by the client."""

    code: int = _NORMAL
    reason: str = ""


def open_stream(
    services: Services,
    served: ServedModel,
    streaming: StreamingOptions,
    decoding: DecodingOptions,
    *,
    encoding: PcmEncoding | ContainerName,
    rate_hz: int,
    style: Style | None,
    frames: bool = False,
) -> Opened:
    """A stream of one of the service's models; `rate_hz` is that of bare samples."""
    stopwatch, spec = Stopwatch(), served.recognizer.spec
    model = ThreadedModel(served.recognizer, served.recording_recognizer.threads, stopwatch)
    writer, decode = served.writer.in_style(style), served.decode_workers.decode
    transcriber = StreamingTranscriber(
        model, decode, streaming, decoding, writer=writer, frames=frames
    )
    model_hz = spec.features.sample_rate_hz
    coded = encoding in CONTAINER_NAMES
    if coded:
        encoding, rate_hz = "f32le", model_hz
    pcm = PcmStream(encoding, rate_hz, model_hz)  # type: ignore[arg-type]
    live = LiveStream(transcriber, pcm, services.pool, rate_hz * pcm.sample_bytes)
    if not coded:
        return Opened(live, stopwatch)
    decoder = StreamDecoder(services.stream_decoders, model_hz)
    return Opened(live, stopwatch, CodedStream(live, decoder))


async def serve(websocket: WebSocket, services: Services, dialect: Dialect) -> None:
    """Serve a WebSocket that was accepted, until it is closed."""
    try:
        services.readiness.require()
        with services.live_streams.place():
            await _run(websocket, services, dialect)
    except (ClientGoneError, WebSocketDisconnect):
        return
    except Exception as error:
        if not isinstance(error, OtoscopeError | ServiceError):
            logger.exception("a live stream failed")
        await refuse(websocket, dialect, error)


async def refuse(websocket: WebSocket, dialect: Dialect, error: Exception) -> None:
    """Say what is wrong, and close."""
    if websocket.application_state is not WebSocketState.CONNECTED:
        return
    status, messages = dialect.refuse(error)
    code = _POLICY if status < _SERVER_ERRORS else _TRY_LATER
    await _send(websocket, messages)
    await websocket.close(_INTERNAL if status == _UNEXPECTED else code)


async def _run(websocket: WebSocket, services: Services, dialect: Dialect) -> None:
    end = _End()
    if (allow := websocket.scope["state"].get(SET_MAX_MESSAGE)) is not None:
        allow(dialect.max_message_bytes)
    await _send(websocket, dialect.greet())
    reading = asyncio.create_task(_read(websocket, services, dialect, end))
    try:
        either: set[asyncio.Future[Any]] = {dialect.stream, reading}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if dialect.stream.done():
            await _send_events(websocket, services, dialect, reading)
        await reading
        await _send(websocket, dialect.done(_received_s(dialect)))
        await websocket.close(end.code, end.reason)
    finally:
        reading.cancel()


async def _send_events(
    websocket: WebSocket, services: Services, dialect: Dialect, reading: "asyncio.Task[None]"
) -> None:
    """Send events until the stream ends; raises what ended the reading."""
    opened = dialect.stream.result()
    reading.add_done_callback(lambda done: _end_with(done, opened.live))
    try:
        async for events in opened.live.events():
            for each in events:
                await _send(websocket, dialect.messages(each))
    except ClientGoneError:
        if reading.done():
            await reading
        raise
    finally:
        opened.leave()
        services.metrics.add_recording(opened.live.received_s, opened.stopwatch.took_s)


def _end_with(reading: "asyncio.Task[None]", live: LiveStream) -> None:
    """If reading ends with an error, drop all work."""
    if reading.cancelled() or reading.exception() is not None:
        live.leave()
        live.end()


async def _read(websocket: WebSocket, services: Services, dialect: Dialect, end: _End) -> None:
    """Heed what comes, until the stream ends or has to."""
    closing = asyncio.create_task(websocket.scope["state"].get(CLOSING, asyncio.Event()).wait())
    waiting, now_s = Waiting(services.stream_limits), time.monotonic
    taken_s = now_s()
    try:
        while not end.reason:
            receiving = asyncio.create_task(websocket.receive())
            done, _ = await asyncio.wait(
                {receiving, closing}, timeout=waiting.left_s, return_when=asyncio.FIRST_COMPLETED
            )
            waited_s = now_s() - taken_s
            if receiving in done:
                ended, messages = await _take(receiving.result(), dialect)
                await _send(websocket, messages)
                if ended:
                    return await _finish(dialect)
            else:
                receiving.cancel()
            taken_s = now_s()
            waiting.add(waited_s, _received_s(dialect))
            if waiting.over:
                end.code, end.reason = _GOING_AWAY, waiting.over
            if closing in done:
                end.code, end.reason = _RESTART, "the service stops"
        await _send(websocket, dialect.closing(end.reason))
        await _finish(dialect)
    finally:
        closing.cancel()


def _received_s(dialect: Dialect) -> float:
    return dialect.stream.result().live.received_s if dialect.stream.done() else 0.0


async def _finish(dialect: Dialect) -> None:
    if dialect.stream.done():
        await dialect.stream.result().finish()


async def _take(message: Message, dialect: Dialect) -> tuple[bool, list[str]]:
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    return await dialect.take(message)


async def _send(websocket: WebSocket, messages: list[str]) -> None:
    for message in messages:
        await websocket.send_text(message)
