"""An id for each request, in its response and in every log line that it causes.

The client's own id is used if it is harmless; otherwise a new one is made.
"""

import re
import uuid

from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from starlette.middleware import Middleware
from structlog.typing import EventDict

HEADER = "X-Request-ID"

_HARMLESS = re.compile(r"[A-Za-z0-9._:=+/-]{1,128}")
"""What UUIDs, ULIDs and proxies' trace ids are made of: nothing that could break a log line."""


def choose_id(offered: str) -> str:
    """The id that a client offered, or a new one if that is not harmless."""
    return offered if _HARMLESS.fullmatch(offered) else uuid.uuid4().hex


# Not the library's `validator`: it would log a warning for each id that is replaced.
REQUEST_ID = Middleware(
    CorrelationIdMiddleware, header_name=HEADER, validator=None, transformer=choose_id
)


def add_request_id(_: object, __: str, event: EventDict) -> EventDict:
    """A structlog processor: the id of the request that is being answered, if there is one."""
    if (request_id := correlation_id.get()) is not None:
        event["request_id"] = request_id
    return event
