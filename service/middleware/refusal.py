"""Error responses of middleware, in the form that routes have."""

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send


async def refuse(scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
    """Send the application's response for this error."""
    # FastAPI handles errors further inside, so its handler is called here.
    handle = scope["app"].exception_handlers[type(error)]
    response = await handle(HTTPConnection(scope), error)
    await response(scope, receive, send)
