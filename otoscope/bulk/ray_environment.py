"""Environment variables that Ray reads when it is imported."""

import os
import secrets


def prepare(address: str | None) -> None:
    """Set variables unless the user has set them.

    Ray listens on every interface and executes code that it receives, so access to a cluster that
    is started here needs a token made for this run. With Ray's default niceness of 15 workers make
    no progress on a busy machine. Its default of twenty attempts to connect takes half a minute.

    Args:
        address: of a cluster; None for one that is started here.
    """
    chosen = _CLUSTER if address is not None else _LOCAL | {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in chosen.items():
        os.environ.setdefault(name, value)


_LOCAL = {"RAY_AUTH_MODE": "token", "RAY_worker_niceness": "0"}
_CLUSTER = {
    "RAY_NUM_REDIS_GET_RETRIES": "2",
    "RAY_py_gcs_connect_timeout_s": "10",
    "RAY_BACKEND_LOG_LEVEL": "error",
}
