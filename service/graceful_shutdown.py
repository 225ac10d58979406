"""Connections that are open when the server stops: a request may be on its way in them."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_PATIENCE_S = 1.0
"""For a request on a connection that has not had one."""


class PartingProtocol(HttpToolsProtocol):
    """uvicorn's, but patient with connections that have just been made.

    uvicorn closes them at once when it stops, if it has not read a request's head, and a proxy that
    has begun to send may not send the same recording elsewhere.
    """

    _asked = False
    _stopping = False

    def shutdown(self) -> None:
        """The server stops: answer what is being asked, or is about to be, and close."""
        self._stopping = True
        if self._asked:
            super().shutdown()
        else:
            asyncio.get_running_loop().call_later(_PATIENCE_S, self._give_up)

    def on_headers_complete(self) -> None:
        """A request's head was read."""
        super().on_headers_complete()
        self._asked = True
        if self._stopping:
            self.cycle.keep_alive = False

    def _give_up(self) -> None:
        if not self._asked:
            self.transport.close()
