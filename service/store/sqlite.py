"""The store in one SQLite file in write-ahead mode.

Any number of processes on one machine share it, and what one keeps the others find. Each operation
has a connection to itself, which needs no rule about threads. Connections are used again, because
opening one takes as long as writing a short recording's result.
"""

import logging
import os
import shutil
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from service.errors import StartError, StoreError
from service.store.base import TOMBSTONE_S, Blobs, Bounds, Store, Usage
from service.store.sqlite_files import (
    Connection,
    Identity,
    enter_wal,
    identity,
    open_connection,
    remove_logs,
)

LAYOUT = 5
"""Version of the tables; a file of another one is refused."""

_SCHEMA = (
    # `size` comes before the blobs, so that adding up sizes reads no blobs.
    """CREATE TABLE IF NOT EXISTS results (
        id TEXT PRIMARY KEY, created_s REAL NOT NULL, expires_s REAL NOT NULL,
        size INTEGER NOT NULL, meta TEXT NOT NULL, transcription BLOB NOT NULL,
        log_probs BLOB NOT NULL, phoneme_log_probs BLOB, features BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS sizes ON results (expires_s, size)",
    "CREATE TABLE IF NOT EXISTS tombstones (id TEXT PRIMARY KEY, forget_s REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, padding BLOB)",
    f"PRAGMA user_version = {LAYOUT}",
)
_PROBE_BYTES = 2**17
"""Written by `check`: as much as a few seconds' result."""

_MIN_FREE_BYTES = 2**20
"""With less room on its disk the store counts as full."""

logger = logging.getLogger(__name__)


class SqliteStore(Store):
    """A `Store` in one SQLite file."""

    def __init__(
        self, path: Path, bounds: Bounds, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Open or make the file.

        Args:
            path: the file; its directory is made if need be, for this user alone.
            bounds: of what is kept.
            clock: the time in seconds since the epoch, shared by all processes.

        Raises:
            StartError: if it can't be written, or is not this service's.
        """
        super().__init__(bounds)
        self._path = path
        self._clock = clock
        self._idle: deque[Connection] = deque()
        self._file: Identity = None
        self._making = threading.Lock()
        try:
            self._create()
        except (OSError, StoreError) as error:
            raise StartError(
                "OTOSCOPE_STORE_PATH: expected a SQLite file in a writable directory, "
                f"got {path}: {error}"
            ) from error

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def delete(self, result_id: str) -> None:
        """Overwrites the bytes; results that have expired are deleted as well."""
        now_s = self._clock()
        with self._transaction() as connection:
            _evict(connection, now_s, self._bounds.max_bytes)
            found = connection.execute("DELETE FROM results WHERE id = ?", (result_id,)).rowcount
            if found:
                connection.execute(
                    "INSERT INTO tombstones VALUES (?, ?)", (result_id, now_s + TOMBSTONE_S)
                )
        with self._connect() as connection:
            _empty_log(connection)
        if not found:
            raise self._gone(result_id, known=self._knows(result_id))

    def usage(self) -> Usage:
        with self._connect() as connection:
            return Usage(
                *connection.execute(
                    "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM results WHERE expires_s > ?",
                    (self._clock(),),
                ).fetchone()
            )

    def check(self) -> None:
        """Writes to the file and reads it back, beside what is kept."""
        self._knows("")
        free = shutil.disk_usage(self._path.parent).free
        if free < _MIN_FREE_BYTES:
            raise StoreError(f"expected {_MIN_FREE_BYTES} bytes of room on the disk, got {free}")
        with self._transaction() as connection:
            connection.execute("REPLACE INTO probe VALUES (0, randomblob(?))", (_PROBE_BYTES,))
        with self._connect() as connection:
            [size] = connection.execute("SELECT length(padding) FROM probe").fetchone()
        if size != _PROBE_BYTES:
            raise StoreError(f"expected the {_PROBE_BYTES} bytes that were written, got {size}")

    def _write(self, result_id: str, meta: str, blobs: Blobs, size: int) -> None:
        now_s = self._clock()
        row = {
            "id": result_id,
            "now_s": now_s,
            "expires_s": now_s + self._bounds.ttl_s,
            "size": size,
        }
        with self._transaction() as connection:
            _evict(connection, now_s, self._bounds.max_bytes - size)
            connection.execute(
                "INSERT INTO results VALUES (:id, :now_s, :expires_s, :size, :meta,"
                " :transcription, :log_probs, :phoneme_log_probs, :features)",
                {**row, "meta": meta, "phoneme_log_probs": None, **blobs},
            )

    def _fetch(self, result_id: str, fields: tuple[str, ...]) -> tuple[Any, ...]:
        columns = ", ".join(("expires_s", "meta", *fields))
        with self._connect() as connection:
            row = connection.execute(
                f"SELECT {columns} FROM results WHERE id = ?",  # noqa: S608 - columns of this table
                (result_id,),
            ).fetchone()
        left_s = 0.0 if row is None else row[0] - self._clock()
        if left_s <= 0:
            raise self._gone(result_id, known=self._knows(result_id))
        return left_s, *row[1:]

    def _knows(self, result_id: str) -> bool:
        """Whether there is such a result, or was one not long ago."""
        with self._connect() as connection:
            row = connection.execute(
                "SELECT id FROM results WHERE id = :id UNION SELECT id FROM tombstones"
                " WHERE id = :id",
                {"id": result_id},
            ).fetchone()
        return row is not None

    def _create(self) -> None:
        directory = self._path.parent
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise StoreError(f"{directory} is not writable for this user")
        if not self._path.exists():
            remove_logs(self._path)
        with self._opened(self._open_file) as connection:
            # Of a new file. Takes half the processor time of 4096 bytes for a matrix of 600 kB.
            connection.execute("PRAGMA page_size=16384")
            # Returns freed pages to the file system; else the file would keep its greatest size.
            connection.execute("PRAGMA auto_vacuum=FULL")
            enter_wal(connection)
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, LAYOUT):
                raise StoreError(f"expected layout {LAYOUT}, got {version}; remove the file")
            for statement in _SCHEMA:
                connection.execute(statement)
            _evict(connection, self._clock(), self._bounds.max_bytes)
            connection.execute("COMMIT")
            _empty_log(connection)
            self._file = connection.file = identity(self._path)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A connection that holds the write lock; all or nothing of what it does stays.

        Raises:
            StoreError: also if the file was deleted meanwhile, and all of it is lost.
        """
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.note_log()
            with connection:
                yield connection
            if not connection.is_in_place():
                raise sqlite3.OperationalError("its file was deleted")

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        """A connection to the file that is there; one that was deleted is created again."""
        with self._opened(self._idle_or_new) as connection:
            yield connection

    @contextmanager
    def _opened(self, get: Callable[[], Connection]) -> Iterator[Connection]:
        try:
            connection = get()
            try:
                yield connection
            except BaseException:
                connection.close()  # and with it what was begun
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the store failed: {error}") from error
        self._idle.append(connection)

    def _idle_or_new(self) -> Connection:
        with self._making:
            if self._file != identity(self._path):
                logger.warning("the store's file was deleted or replaced: it is created again")
                self._create()
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()  # the last: few are in use, and stay in the cache
                if connection.is_in_place():
                    return connection
                connection.close()
        return self._open_file()

    def _open_file(self) -> Connection:
        return open_connection(self._path)


def _evict(connection: sqlite3.Connection, now_s: float, room: int) -> None:
    """Turn what has expired, and the oldest beyond `room` bytes, into tombstones."""
    connection.execute("DELETE FROM tombstones WHERE forget_s <= ?", (now_s,))
    all_taken, first_end_s = connection.execute(
        "SELECT COALESCE(SUM(size), 0), MIN(expires_s) FROM results"
    ).fetchone()
    if all_taken <= room and (first_end_s is None or first_end_s > now_s):
        return
    rows = connection.execute(
        "SELECT id, size, expires_s FROM results ORDER BY created_s DESC, id"
    ).fetchall()
    dead, taken = [], 0
    for result_id, size, expires_s in rows:
        taken += size
        if expires_s <= now_s or taken > room:
            dead.append(result_id)
    connection.executemany(
        "INSERT INTO tombstones VALUES (?, ?)", [(each, now_s + TOMBSTONE_S) for each in dead]
    )
    connection.executemany("DELETE FROM results WHERE id = ?", [(each,) for each in dead])


def _empty_log(connection: sqlite3.Connection) -> None:
    """Write the write-ahead log to the file and empty it: it may hold deleted bytes.

    If another process is writing just now, the next call does it.
    """
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
