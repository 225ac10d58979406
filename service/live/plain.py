"""The messages of /stream; docs/live.md describes them."""

import asyncio
from typing import Any

import orjson
from starlette.types import Message
from starlette.websockets import WebSocket

from otoscope.audio import CONTAINER_NAMES
from otoscope.formats.tables import to_json
from otoscope.schemas.streaming import message_json
from service.dependencies import Services
from service.errors import FormError
from service.http.forms import read_options
from service.http.problems import problem_of
from service.http.stream_options import StreamOptions
from service.inference.live_streams import Flushed, Pace, StreamEvent
from service.live.sockets import Opened, open_stream
from service.websocket_protocol import MAX_MESSAGE_BYTES


class PlainDialect:
    """Samples in binary messages, JSON out."""

    max_message_bytes = MAX_MESSAGE_BYTES

    def __init__(self, services: Services) -> None:
        self.stream: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        self._services = services
        self._model = services.models.default
        self._options = StreamOptions()

    def open(self, websocket: WebSocket) -> None:
        """Open the stream that the address asks for.

        Raises:
            FormError, OptionsError: if that can't be done.
        """
        self._options = options = read_options(websocket.query_params.multi_items(), StreamOptions)
        self._model = self._services.models.choose(options.model)
        self.stream.set_result(
            open_stream(
                *(self._services, self._model, options.streaming, options.decoding),
                encoding=options.encoding,
                rate_hz=options.sample_rate_hz,
                style=options.style,
                frames=options.probs,
            )
        )

    def greet(self) -> list[str]:
        """What is served, and what is expected."""
        encoding = self._options.encoding
        return _json(
            type="ready",
            model=self._model.name.model_dump(),
            encoding=encoding,
            sample_rate_hz=None if encoding in CONTAINER_NAMES else self._options.sample_rate_hz,
            frame_s=self._model.recognizer.spec.frame_s,
        )

    async def take(self, message: Message) -> tuple[bool, list[str]]:
        """Samples, or a wish."""
        inlet, data, text = self.stream.result().inlet, message.get("bytes"), message.get("text")
        if isinstance(data, bytes):
            await inlet.put(data)
            return False, []
        kind = _kind(str(text))
        if kind == "flush":
            await inlet.flush()
        elif kind != "end":
            raise FormError(
                'expected samples in binary messages, {"type": "flush"} or {"type": "end"}, got '
                f"{text!r:.200}"
            )
        return kind == "end", []

    def messages(self, event: StreamEvent) -> list[str]:
        """Messages about an event."""
        if isinstance(event, Flushed):
            return []
        if isinstance(event, Pace):
            return _json(type="pace", step_s=round(event.step_s, 3))
        frame_s = self._model.recognizer.spec.frame_s
        return [message_json(event, frame_s, probs=self._options.probs).decode()]

    def closing(self, reason: str) -> list[str]:
        """Why the stream ends."""
        return _json(type="closing", reason=reason)

    def done(self, received_s: float) -> list[str]:
        """How long it was."""
        return _json(type="done", duration_s=round(received_s, 3))

    def refuse(self, error: Exception) -> tuple[int, list[str]]:
        """A problem as of other routes, its type as `kind`."""
        problem = problem_of(error).model_dump(exclude_none=True)
        retry_after_s = getattr(error, "retry_after_s", None)
        if retry_after_s is not None:
            problem["retry_after_s"] = retry_after_s
        kind = problem.pop("type")
        return problem["status"], _json(type="error", kind=kind, **problem)


def _kind(text: str) -> str | None:
    try:
        return str(orjson.loads(text)["type"])
    except (ValueError, TypeError, KeyError):
        return None


def _json(**document: Any) -> list[str]:  # noqa: ANN401 - whatever JSON holds
    return [to_json(document).decode()]
