"""A WebSocket: uvicorn's, with a gentle end.

uvicorn closes WebSockets at once when it stops; a stream's last words would be lost. And it closes
those whose pongs it has not read in time, though they wait behind audio that the service is behind
with: a client that is gone brings no audio, which ends its stream.
"""

import asyncio
import logging
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

CLOSING = "closing"
"""In a WebSocket's state: an `asyncio.Event` that is set once the server stops."""

MAX_MESSAGE_BYTES = 2**18
"""Of one message, 8 s of 16-bit samples at 16 kHz; a longer one closes the connection with 1009."""

_GRACE_S = 10.0
"""For a stream to tell its last words, once the server stops."""

_quiet = logging.getLogger("uvicorn.websockets")
_quiet.setLevel(logging.WARNING)  # at "info" it shows addresses with their queries


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    _closing: asyncio.Event | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*arguments, **options)
        self.logger = _quiet
        self.ping_timeout = None

    def handle_connect(self, event: Request) -> None:
        """A client asks for a WebSocket."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self._closing = self.scope["state"][CLOSING] = asyncio.Event()

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

    def _end(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()
