"""What Ray reads of the environment while it is imported."""

import os
import secrets


def prepare(address: str | None) -> None:
    """Choose where the user has not.

    Ray listens on every interface and runs what it is told: a token that only this run knows keeps
    others out of a cluster of this machine. Its workers' niceness, 15 otherwise, would make them
    stand still beside anything else that computes. At the address of a cluster it would ask twenty
    times for half a minute.

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
