"""Log lines: JSON for machines, plain lines for people, one form for all loggers of the process.

Everything logs through the standard library, as uvicorn and other libraries do; structlog writes
the lines. What a call gives as `extra` and the id of the request become fields.
"""

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Literal, TextIO

import structlog
from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter, plain_traceback
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from service.middleware.access_log import Exchange
from service.middleware.request_id import add_request_id

LogFormat = Literal["auto", "json", "console"]

_STDERR = 2
_LAST_LINES_S = 1.0
"""For what was written last; processes that go on may keep the pipe open."""

_MOST_CHARACTERS = 500
"""Of one line; a longer one becomes several."""

logger = logging.getLogger("service.requests")
native_logger = logging.getLogger("service.native")


def configure_logs(level: str, log_format: LogFormat, stream: TextIO | None = None) -> None:
    """Make every logger of this process write to `stream`, by default to standard error.

    Args:
        level: least severe message that is written.
        log_format: "auto" is "console" on a terminal and "json" elsewhere.
        stream: where lines go.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    if log_format == "auto":
        log_format = "console" if handler.stream.isatty() else "json"
    handler.setFormatter(make_formatter(log_format))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


def capture_native_output(log: Callable[[str], None] = native_logger.info) -> TextIO:
    """Have what anybody else writes to standard error become log lines, from now on.

    Native libraries do, and the interpreter where it can't raise an error. Processes that are
    started later write there, too. In the end standard error is what it was.

    Args:
        log: called with each line, from a thread.

    Returns:
        Standard error itself, for the log.
    """
    own = os.fdopen(os.dup(_STDERR), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    reading, writing = os.pipe()
    os.dup2(writing, _STDERR)
    os.close(writing)

    def read() -> None:
        with os.fdopen(reading, encoding="utf-8", errors="backslashreplace") as lines:
            while line := lines.readline(_MOST_CHARACTERS):
                if line.strip():
                    log(line.rstrip())

    reader = threading.Thread(target=read, name="native-output", daemon=True)
    reader.start()

    def restore() -> None:
        sys.stderr.flush()
        os.dup2(own.fileno(), _STDERR)
        reader.join(_LAST_LINES_S)

    atexit.register(restore)
    return own


def make_formatter(log_format: Literal["json", "console"]) -> logging.Formatter:
    """A formatter that turns a record into a line."""
    time = "iso" if log_format == "json" else "%H:%M:%S"
    return ProcessorFormatter(
        foreign_pre_chain=[
            add_request_id,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt=time, utc=log_format == "json"),
            _without_colours,
        ],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            *(_json() if log_format == "json" else _console()),
        ],
    )


def log_exchange(exchange: Exchange) -> None:
    """One line for a request; the request's id comes from the context."""
    logger.info(
        "request",
        extra={
            "method": exchange.method,
            "route": exchange.route,
            "status": exchange.status,
            "duration_ms": round(1000 * exchange.duration_s, 1),
            "bytes_in": exchange.bytes_in,
        },
    )


def _without_colours(_: object, __: str, event: EventDict) -> EventDict:
    """Leave out uvicorn's second copy of its messages, which has terminal colours in it."""
    event.pop("color_message", None)
    return event


def _json() -> Sequence[Processor]:
    return (
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    )


def _console() -> Sequence[Processor]:
    """Lines such as 19:05:19 info service.app: ready on ...

    Nothing stands behind a message that has no fields: a command in it can be copied.
    """

    def column(key: str, postfix: str = "") -> Column:
        return Column(key, KeyValueColumnFormatter(None, "", "", str, postfix=postfix))

    fields = Column("", KeyValueColumnFormatter("", "", "", str))
    columns = [column("timestamp"), column("level"), column("logger", ":"), column("event"), fields]
    return (ConsoleRenderer(columns=columns, sort_keys=False, exception_formatter=plain_traceback),)
