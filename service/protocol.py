"""A connection: uvicorn's, with limits that hold without a proxy, and a gentle end.

uvicorn bounds neither the bytes of a request's head, nor the time in which it arrives, nor how long
a client may leave its answer unread; and it closes connections on which bytes still arrive, which
resets them and may cost the client its answer.
"""

import asyncio
import json
import time
from http import HTTPStatus
from typing import Any

from httptools import parse_url
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.middleware.deadline import BEGAN

MAX_HEAD_BYTES = 2**16
"""Of a request's line and headers, of its trailers, and of what stands between pieces of a body."""

_GRACE_S = 1.0
"""For the first request to arrive on a connection, once the server stops."""

_STOPPING_S = 5.0
"""How often a body that still arrives is looked at, once the server stops."""

_STOPPING_BYTES = 5000
"""A body of which fewer come between two looks is given up."""

_LINGER_S = 2.0
"""For a client to read why it was refused, before the connection ends."""


class Protocol(HttpToolsProtocol):
    """One connection.

    uvicorn closes those on which no request's head has been read at once when it stops, and a proxy
    that has begun to send may not send the same recording elsewhere: new ones get some time.

    Attributes:
        head_s: longest that a request's head may take to arrive, from the connection's start or the
            first byte after an answer.
        unread_s: longest that a client may leave what was sent to it unread.
    """

    head_s = 10.0
    unread_s = 30.0

    _received_head = False
    _stopping = False
    _refused = False
    _between_bytes = 0
    _received_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        for timer in (self._head_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._refused:
            return
        self._received_bytes += len(data)
        self._between_bytes += len(data)
        if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()
        super().data_received(data)
        if self._between_bytes > MAX_HEAD_BYTES:
            self._refuse_long_head()

    def on_message_begin(self) -> None:
        """A request's first byte was read."""
        if self._refused:
            return
        super().on_message_begin()
        state: dict[str, Any] = self.scope["state"]
        state[BEGAN] = time.monotonic()

    def on_headers_complete(self) -> None:
        """A request's head was read."""
        if self._refused:
            return
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > (
            MAX_HEAD_BYTES
        ):
            self._refuse_long_head()
            return
        self._take_host_of_url()
        super().on_headers_complete()
        self._received_head = True
        if self.parser.should_upgrade() and not self._should_upgrade():
            self.cycle.keep_alive = False  # httptools reads nothing behind such a request
        self._between_bytes = 0
        if self._stopping and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Some of a body was read."""
        if not self._refused:
            self._between_bytes = 0
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request was read to its end."""
        if not self._refused:
            self._between_bytes = 0
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer was handed over, though not yet read."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.loop.call_later(self.unread_s, self.transport.abort)

    def pause_writing(self) -> None:
        """The client does not read as fast as it is sent to."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read what was sent."""
        if self._unread_timer is not None:
            self._unread_timer.cancel()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing has come for some time after an answer."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.unread_s, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def shutdown(self) -> None:
        """The server stops: answer a request that is here, or about to arrive, and close."""
        self._stopping = True
        if not self._received_head:
            self.loop.call_later(_GRACE_S, self._close_if_unused)
            return
        super().shutdown()
        if not self.cycle.response_complete:
            self.loop.call_later(_STOPPING_S, self._close_if_slow, self._received_bytes)

    def _take_host_of_url(self) -> None:
        """A whole URL's host counts, and no header beside it (RFC 9112, section 3.2.2)."""
        if self.url.startswith(b"/") or not (host := parse_url(self.url).host):
            return
        others = [(name, value) for name, value in self.headers if name != b"host"]
        self.headers[:] = [*others, (b"host", b"[%b]" % host if b":" in host else host)]

    def _should_upgrade(self) -> bool:
        return not self._refused and super()._should_upgrade()

    def _unsupported_upgrade_warning(self) -> None:
        """A server may pass over a wish for another protocol, and curl has one with each upload."""

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_s, self._head_is_late)

    def _head_is_late(self) -> None:
        if self._received_bytes:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT, f"expected a request's headers within {self.head_s:g} s"
            )
        else:
            self.transport.close()

    def _refuse_long_head(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"expected headers of at most {MAX_HEAD_BYTES} bytes, got more",
        )

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Say why, read and drop what still comes for a while, and close."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            if not self.cycle.more_body:  # of the request before, whose answer is due first
                self.cycle.keep_alive = False
                return
            if self.cycle.response_started:
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        problem = {"title": status.phrase, "status": status, "detail": detail}
        body = json.dumps(problem).encode()
        head = (
            b"content-type: application/problem+json\r\ncache-control: no-store\r\n"
            b"x-content-type-options: nosniff\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)
        self.loop.call_later(_LINGER_S + self.unread_s, self.transport.abort)

    def _close_if_unused(self) -> None:
        if not self._received_head:
            self.transport.close()

    def _close_if_slow(self, before_bytes: int) -> None:
        """Give up a body that trickles: it would keep the server from ending."""
        if self.cycle.response_complete or not self.cycle.more_body:
            return
        if self._received_bytes - before_bytes < _STOPPING_BYTES:
            self.transport.close()
        else:
            self.loop.call_later(_STOPPING_S, self._close_if_slow, self._received_bytes)
