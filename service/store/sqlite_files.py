"""Connections to an SQLite file that somebody may delete or replace while it is open.

SQLite notices neither: what it writes then goes to a file without a name, and is lost when the last
connection ends.
"""

import sqlite3
import time
from pathlib import Path

Identity = tuple[int, int] | None
"""A file's device and number; None if there is no file."""

BUSY_S = 10.0
"""How long one process waits for another's lock."""


class Connection(sqlite3.Connection):
    """A connection that knows which files it has open."""

    _path: Path
    file: Identity = None
    _log: Identity = None

    def note_path(self, path: Path) -> None:
        """Note the file that was opened."""
        self._path, self.file = path, identity(path)

    def note_log(self) -> None:
        """Note the write-ahead log, once it is open."""
        self._log = self._log or identity(_log_path(self._path))

    def is_in_place(self) -> bool:
        """Whether the files that it has open are those that others would open now."""
        log = self._log is None or self._log == identity(_log_path(self._path))
        return log and self.file == identity(self._path)


def open_connection(path: Path) -> Connection:
    """Open or make the file; sqlite3.Error if that can't be done."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    connection.note_path(path)
    # A power cut may lose the last results, but not the file.
    connection.execute("PRAGMA synchronous=NORMAL")
    # What is deleted, because a client asks for it or it has expired, is overwritten.
    connection.execute("PRAGMA secure_delete=ON")
    return connection


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


def remove_logs(path: Path) -> None:
    """Remove what a deleted file has left beside it, which must not be read into a new one."""
    for ending in ("wal", "shm"):
        path.with_name(f"{path.name}-{ending}").unlink(missing_ok=True)


def identity(path: Path) -> Identity:
    """Of the file at `path`."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _log_path(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
