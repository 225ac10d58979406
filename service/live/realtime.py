"""OpenAI's Realtime protocol, as far as transcription sessions go.

https://platform.openai.com/docs/guides/realtime-transcription. Words are told as soon as they are
confirmed, as heard; with style=verbatim the deltas of an item are its transcript. Mistakes of the
client are answered and forgiven, as OpenAI does.
"""

import asyncio
import base64
from typing import Any, get_args
from uuid import uuid4

import orjson
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.types import Message

from otoscope.errors import OtoscopeError
from otoscope.formats.tables import to_json
from otoscope.streaming import Final, Partial, SpeechStarted
from otoscope.streaming.events import text_of
from otoscope.strict_json import describe
from otoscope.transcript import Style, Word
from service.dependencies import Services
from service.errors import FormError, ServiceError
from service.http.problems import problem_of
from service.inference.live_streams import Flushed, StreamEvent
from service.live.sockets import Opened, open_stream
from service.openai_api.errors import error_of
from service.openai_api.realtime_session import Session, SessionUpdate

_MAX_MESSAGE_BYTES = 21 * 2**20
"""OpenAI takes 15 MiB of audio at once, which base64 makes 20."""

_INTENT = "transcription"
_ITEM = "conversation.item.input_audio_transcription"


class RealtimeDialect:
    """One session."""

    max_message_bytes = _MAX_MESSAGE_BYTES

    def __init__(self, services: Services, query: QueryParams) -> None:
        self.stream: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        self._services, self._query = services, query
        self._session = Session()
        self._item = _new_id("item")
        self._previous: str | None = None
        self._sent_words: tuple[Word, ...] = ()
        self._transcript: list[str] = []
        self._commits = 0
        self._spoken_s = self._item_s = 0.0

    def greet(self) -> list[str]:
        """The session.

        Raises:
            FormError, UnknownModelError: if another one is asked for.
        """
        for name, expected in (("intent", [_INTENT]), ("style", get_args(Style))):
            given = self._asked(name)
            if given is not None and given not in expected:
                raise FormError(f"{name}: expected {' or '.join(expected)}, got {given!r:.80}")
        self._session = Session.of_model(self._asked("model"), self._services.models)
        return [_event("session.created", session=self._session.document())]

    def _asked(self, name: str) -> str | None:
        """A parameter of the address."""
        given = self._query.getlist(name)
        if len(given) > 1:
            raise FormError(f"{name}: expected one value, got {', '.join(given)!r:.80}", name)
        return given[0] if given else None

    async def take(self, message: Message) -> tuple[bool, list[str]]:
        """An event; what is wrong with it is answered."""
        event: dict[str, Any] = {}
        try:
            event = _object(message)
            return False, await self._heed(event)
        except (OtoscopeError, ServiceError) as error:
            return False, self._error(error, event.get("event_id"))

    async def _heed(self, event: dict[str, Any]) -> list[str]:
        match event["type"]:
            case "session.update":
                return self._update(event)
            case "input_audio_buffer.append":
                samples = _audio(event.pop("audio", None))
                await self._opened().live.put(samples)
                return []
            case "input_audio_buffer.commit":
                if not self.stream.done():
                    raise FormError("input_audio_buffer.commit: expected audio before it, got none")
                self._commits += 1
                await self._opened().live.flush()
                return []
            case "input_audio_buffer.clear":
                if self.stream.done():
                    self._opened().live.clear()
                if not self._commits:
                    self._sent_words, self._transcript = (), []
                return [_event("input_audio_buffer.cleared")]
            case kind:
                raise FormError(
                    "type: expected session.update, or input_audio_buffer.append, commit or clear, "
                    f"got {kind!r:.80}"
                )

    def _update(self, event: dict[str, Any]) -> list[str]:
        if self.stream.done():
            raise FormError("session.update: expected it before the first audio, got it behind")
        try:
            update = SessionUpdate.model_validate(event).session
        except ValidationError as error:
            raise FormError("; ".join(describe(error.errors()[:20]))) from None
        self._session = self._session.updated(update, self._services.models)
        return [_event("session.updated", session=self._session.document())]

    def _opened(self) -> Opened:
        if not self.stream.done():
            session = self._session
            model = session.model_of(self._services.models)
            self.stream.set_result(
                open_stream(
                    *(self._services, model),
                    session.streaming(),
                    session.decoding(model.recognizer.spec.alphabet),
                    encoding=session.encoding,
                    rate_hz=session.rate_hz,
                    style="verbatim" if self._query.get("style") == "verbatim" else None,
                )
            )
        return self.stream.result()

    def messages(self, event: StreamEvent) -> list[str]:
        """Messages about an event; without turn detection the client ends items by commits."""
        turns = self._session.turns
        match event:
            case SpeechStarted():
                kind = "input_audio_buffer.speech_started"
                start_ms = round(1000 * event.start_s)
                return [_event(kind, audio_start_ms=start_ms, item_id=self._item)] if turns else []
            case Partial():
                return self._delta(event.words[: event.confirmed])
            case Final():
                messages = self._delta(event.words)
                if event.words:
                    self._transcript.append(str(event.written or event.text))
                self._sent_words, self._spoken_s = (), event.end_s
                return messages + self._ended(event.end_s) if turns else messages
            case Flushed():
                self._commits -= 1
                if self._transcript or not turns or not event.spoken:
                    return self._ended(event.received_s)
        return []

    def _delta(self, words: tuple[Word, ...]) -> list[str]:
        """A delta of the words that were not sent yet."""
        fresh = words[len(self._sent_words) :]
        if not fresh:
            return []
        space = " " if self._sent_words or self._transcript else ""
        self._sent_words = words
        delta = space + text_of(fresh)
        return [_event(f"{_ITEM}.delta", item_id=self._item, content_index=0, delta=delta)]

    def _ended(self, end_s: float) -> list[str]:
        """The item is whole; the next one begins."""
        seconds, self._item_s = end_s - self._item_s, end_s
        item, transcript = self._item, " ".join(self._transcript)
        previous, turns = self._previous, self._session.turns
        self._item, self._previous, self._transcript = _new_id("item"), item, []
        content = {"type": "input_audio", "transcript": None}
        message = {"id": item, "type": "message", "role": "user", "status": "completed"}
        end_ms = round(1000 * self._spoken_s)
        stopped = _event("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=item)
        return [
            *([stopped] if turns else []),
            _event("input_audio_buffer.committed", item_id=item, previous_item_id=previous),
            _event(
                "conversation.item.added",
                previous_item_id=previous,
                item={**message, "content": [content]},
            ),
            _event(
                f"{_ITEM}.completed",
                item_id=item,
                content_index=0,
                transcript=transcript,
                usage={"type": "duration", "seconds": round(seconds, 3)},
            ),
        ]

    def closing(self, reason: str) -> list[str]:
        """An error without a client's fault."""
        error = {"type": "server_error", "code": "closing", "message": reason, "param": None}
        return [_event("error", error={**error, "event_id": None})]

    def done(self, received_s: float) -> list[str]:  # noqa: ARG002 - OpenAI says nothing
        """Nothing."""
        return []

    def refuse(self, error: Exception) -> tuple[int, list[str]]:
        """An error, and behind it the close."""
        return problem_of(error).status, self._error(error, None)

    def _error(self, error: Exception, cause: object) -> list[str]:
        fields = error_of(problem_of(error), getattr(error, "param", None)).model_dump()
        event_id = cause if isinstance(cause, str) else None
        return [_event("error", error={**fields, "event_id": event_id})]


def _object(message: Message) -> dict[str, Any]:
    """An event, taken out of its message; FormError if it is none."""
    text = str(message.pop("text", None))
    try:
        event = orjson.loads(text)
    except ValueError:
        event = None
    if not isinstance(event, dict) or "type" not in event:
        raise FormError(f"expected a JSON object with a type, got {text:.200}")
    return event


def _audio(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except ValueError:
        raise FormError(f"audio: expected samples in base64, got {text!r:.80}", "audio") from None


def _event(kind: str, **fields: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return to_json({"type": kind, "event_id": _new_id("event"), **fields}).decode()


def _new_id(kind: str) -> str:
    return f"{kind}_{uuid4().hex}"
