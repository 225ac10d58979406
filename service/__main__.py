"""Start the service: ``python -m service``."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

import uvicorn
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from otoscope.cpus import available
from service.dependencies import open_services
from service.errors import StartError
from service.logs import configure_logs
from service.metrics import metrics_from_environment, shared_directory
from service.middleware.api_keys import warn_if_open
from service.protocol import Protocol
from service.secret_files import SUFFIX
from service.settings import PREFIX, SECRETS, Settings, load_settings, warn_of_removed
from service.websocket_protocol import MAX_MESSAGE_BYTES, WebSocketProtocol

_EXIT_WRONG_SETTINGS = 2
_SEARCH_PROCESSES = f"{PREFIX}SEARCH_PROCESSES"
_SECRETS = "\n".join(
    f"  {PREFIX}{name.upper()}{SUFFIX} names a file that holds {PREFIX}{name.upper()}"
    for name in SECRETS
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 2 with one line on standard error if the settings are wrong."""
    options = _parser().parse_args(arguments)
    # Server processes read the environment for themselves: the command line goes into it.
    for name in ("host", "port"):
        if getattr(options, name) is not None:
            os.environ[f"{PREFIX}{name.upper()}"] = str(getattr(options, name))
    if options.workers > 1:
        os.environ[_SEARCH_PROCESSES] = os.environ.get(_SEARCH_PROCESSES) or str(
            available() // options.workers
        )
    try:
        settings = load_settings()
        configure_logs("warning", settings.log_format)  # the rest is logged by the server processes
        # Pictures: matplotlib keeps a list of fonts, by default in a home that may not exist.
        os.environ.setdefault("MPLCONFIGDIR", str(settings.directory / "matplotlib"))
        _try_to_open(settings)
    except StartError as error:
        sys.stderr.write(f"the service can't start: {error}\n")
        return _EXIT_WRONG_SETTINGS
    configure_logs(settings.log_level, settings.log_format)
    warn_if_open(settings)
    warn_of_removed()
    with shared_directory(options.workers):
        uvicorn.run(
            "service.app:from_environment",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=options.workers,
            http=Protocol,
            ws=WebSocketProtocol,
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_per_message_deflate=False,  # a small message could become a large one
            log_level=settings.log_level,
            log_config=None,  # its loggers write through ours
            access_log=False,  # it would show paths and queries, and with them ids of results
        )
    return 0


def _try_to_open(settings: Settings) -> None:
    """Open everything once, so that a wrong setting is one line, not a traceback per process."""
    with open_services(settings, metrics_from_environment()):
        logging.getLogger(__name__).debug("the model and the store can be opened")


def _default_of(field: FieldInfo) -> str:
    """In brackets, unless the description has it or there is none."""
    if field.default_factory or field.default is None or isinstance(field.default, SecretStr):
        return ""
    return f" (default: {field.default})"


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r:.40}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    variables = "\n".join(
        f"  {PREFIX}{name.upper():18} {field.description}{_default_of(field)}"
        for name, field in Settings.model_fields.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Serve speech recognition over HTTP: POST /transcribe, GET /probs, /docs.",
        epilog=f"environment variables:\n{variables}\n\n{_SECRETS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", help="port to listen on (default: 8000)")
    parser.add_argument(
        "--workers",
        type=_workers,
        default=1,
        help="server processes (default: 1); each loads the model",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
