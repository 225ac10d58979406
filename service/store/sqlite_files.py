"""The file that a SQLite store lives in: its directory, and its write-ahead mode."""

import os
import sqlite3
import time
from pathlib import Path

from service.errors import StartError

BUSY_S = 10.0
"""How long one process waits for another's lock."""


def make_private(directory: Path) -> None:
    """Make the directory, or see that the one that is there can be trusted and written."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"{unusable(directory)}: {error}") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StartError(f"{unusable(directory)}: it is not writable for this user")


def unusable(path: Path) -> str:
    """The start of an error about `path`."""
    return f"OTOSCOPE_STORE_PATH: expected a SQLite file in a writable directory, got {path}"


def enter_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead mode, once.

    SQLite does not wait for other processes here, whatever the time-out, so this does.
    """
    deadline_s = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
        else:
            return
