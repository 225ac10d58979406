"""Shutting down while connections are open: a request may be on its way in them."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_GRACE_S = 1.0
"""For the first request to arrive on a connection."""


class GracefulProtocol(HttpToolsProtocol):
    """uvicorn's, but connections that have just been made get time for their first request.

    uvicorn closes them at once when it stops, if it has not read a request's head, and a proxy that
    has begun to send may not send the same recording elsewhere.
    """

    _received_head = False
    _stopping = False

    def shutdown(self) -> None:
        """The server stops: answer a request that is here, or about to arrive, and close."""
        self._stopping = True
        if self._received_head:
            super().shutdown()
        else:
            asyncio.get_running_loop().call_later(_GRACE_S, self._close_if_unused)

    def on_headers_complete(self) -> None:
        """A request's head was read."""
        super().on_headers_complete()
        self._received_head = True
        if self._stopping:
            self.cycle.keep_alive = False

    def _close_if_unused(self) -> None:
        if not self._received_head:
            self.transport.close()
