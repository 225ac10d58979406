"""The environment of a Ray cluster of this machine."""

import os
import secrets


def prepare() -> None:
    """Choose what Ray reads of the environment while it is imported, where the user has not.

    Ray listens on every interface and runs what it is told: a token that only this run knows keeps
    others out. Its workers' niceness, 15 otherwise, would make them stand still beside anything
    else that computes.
    """
    for name, value in {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_worker_niceness": "0",
    }.items():
        os.environ.setdefault(name, value)
