"""A WebSocket: uvicorn's, with a gentle end.

uvicorn closes WebSockets at once when it stops; a stream's last words would be lost. It closes
those whose pongs it has not read in time, though they wait behind audio that the service is behind
with: a client that is gone brings no audio, which ends its stream. It does not bound how long a
client may leave what was sent to it unread.
"""

import asyncio
import logging
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

CLOSING = "closing"
"""In a WebSocket's state: an `asyncio.Event` that is set once the server stops."""

SET_MAX_MESSAGE = "set_max_message"
"""In a WebSocket's state: a function that sets how many bytes each further message may have."""

MAX_MESSAGE_BYTES = 2**18
"""Of one message, 8 s of 16-bit samples at 16 kHz; a longer one closes the connection with 1009.

It holds until the application sets another: a client has to have a place to send more.
"""

_GRACE_S = 10.0
"""For a stream to tell its last words, once the server stops."""

_quiet = logging.getLogger("uvicorn.websockets")
_quiet.setLevel(logging.WARNING)  # at "info" it shows addresses with their queries


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection.

    Attributes:
        unread_s: longest that a client may leave what was sent to it unread.
    """

    unread_s = 30.0

    _closing: asyncio.Event | None = None
    _unread_timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*arguments, **options)
        self.logger = _quiet
        self.ping_timeout = None

    def handle_connect(self, event: Request) -> None:
        """A client asks for a WebSocket."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self._closing = self.scope["state"][CLOSING] = asyncio.Event()
            self.scope["state"][SET_MAX_MESSAGE] = self._set_max_message

    def pause_writing(self) -> None:
        """The client does not read as fast as it is sent to."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read what was sent."""
        self._stop_unread_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._stop_unread_timer()
        super().connection_lost(exc)

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application says; a refusal that is whole ends the handshake, too."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # else uvicorn logs that it isn't

    def shutdown(self) -> None:
        """The server stops."""
        if self._closing is None or self._closing.is_set():
            super().shutdown()
            return
        self._closing.set()
        self.loop.call_later(_GRACE_S, self._end)

    def _set_max_message(self, size_bytes: int) -> None:
        self.conn.max_message_size = size_bytes

    def _stop_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()

    def _end(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()
