"""The store in one SQLite file in write-ahead mode.

Any number of processes on one machine share it, and what one keeps the others find. Each operation
has a connection for itself, which needs no rule about threads; afterwards the next has it, for to
open one takes as long as to write a short recording's result.
"""

import json
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from otoscope import FeatureMatrix, Posteriors
from service.errors import ExpiredResultError, StartError, StoreError, UnknownResultError
from service.store.base import TOMBSTONE_S, Kept, Usage
from service.store.serialization import pack, read_features, read_posteriors, write_meta
from service.store.sqlite_files import BUSY_S, enter_wal, make_private, unusable

LAYOUT = 5
"""Of the tables; a file of another layout is refused."""

_SCHEMA = (
    # size comes before the blobs, so that adding sizes up reads no blobs.
    """CREATE TABLE IF NOT EXISTS results (
        id TEXT PRIMARY KEY, created_s REAL NOT NULL, expires_s REAL NOT NULL,
        size INTEGER NOT NULL, meta TEXT NOT NULL, transcription BLOB NOT NULL,
        log_probs BLOB NOT NULL, phoneme_log_probs BLOB, features BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS sizes ON results (expires_s, size)",
    "CREATE TABLE IF NOT EXISTS tombstones (id TEXT PRIMARY KEY, forget_s REAL NOT NULL)",
    f"PRAGMA user_version = {LAYOUT}",
)
_KEPT = "SELECT expires_s, meta FROM results WHERE id = ?"
_POSTERIORS = "SELECT expires_s, meta, log_probs, phoneme_log_probs FROM results WHERE id = ?"
_FEATURES = "SELECT expires_s, meta, features FROM results WHERE id = ?"
_TRANSCRIPTION = "SELECT expires_s, meta, transcription FROM results WHERE id = ?"


class SqliteStore:
    """A `Store` in one SQLite file, with a time to live and a bound on its size."""

    def __init__(
        self,
        path: Path,
        *,
        ttl_s: float,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or make the file.

        Args:
            path: the file; its directory is made if need be, for this user alone.
            ttl_s: seconds that a result can be fetched.
            max_bytes: room for all results; the oldest give way to the new.
            clock: the time in seconds since the epoch, shared by all processes.

        Raises:
            StartError: if it can't be written, or is not this service's.
        """
        self._path = path
        self._ttl_s = ttl_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._idle: deque[sqlite3.Connection] = deque()
        make_private(path.parent)
        try:
            self._create()
        except StoreError as error:
            raise StartError(f"{unusable(path)}: {error}") from error

    def close(self) -> None:
        """Let go of the file; what is kept stays there."""
        while self._idle:
            self._idle.pop().close()

    def put(
        self,
        result_id: str,
        posteriors: Posteriors,
        features: FeatureMatrix,
        model_sha256: str,
        *,
        transcription: bytes,
    ) -> None:
        """See `Store`. What has expired and what there is no more room for is removed first."""
        phonemes = posteriors.phonemes
        blobs = (
            transcription,
            pack(posteriors.log_probs),
            None if phonemes is None else pack(phonemes.log_probs),
            pack(features.values),
        )
        size = sum(len(blob) for blob in blobs if blob is not None)
        if size > self._max_bytes:
            raise StoreError(f"expected at most {self._max_bytes} bytes, got {size}")
        meta = write_meta(posteriors, features.spec, model_sha256)
        now_s = self._clock()
        with self._transaction() as connection:
            _bury(connection, now_s, self._max_bytes - size)
            connection.execute(
                "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (result_id, now_s, now_s + self._ttl_s, size, meta, *blobs),
            )

    def find(self, result_id: str) -> Kept:
        """See `Store`."""
        left_s, meta = self._fetch(_KEPT, result_id)
        return Kept(meta["model_sha256"], meta["duration_s"], left_s)

    def get(self, result_id: str) -> Posteriors:
        """See `Store`."""
        _, meta, characters, phonemes = self._fetch(_POSTERIORS, result_id)
        return read_posteriors(meta, characters, phonemes)

    def features(self, result_id: str) -> FeatureMatrix:
        """See `Store`."""
        _, meta, blob = self._fetch(_FEATURES, result_id)
        return read_features(meta, blob)

    def transcription(self, result_id: str) -> bytes:
        """See `Store`."""
        kept: bytes = self._fetch(_TRANSCRIPTION, result_id)[2]
        return kept

    def delete(self, result_id: str) -> None:
        """See `Store`. The bytes are overwritten; what has expired goes as well."""
        now_s = self._clock()
        with self._transaction() as connection:
            _bury(connection, now_s, self._max_bytes)
            found = connection.execute("DELETE FROM results WHERE id = ?", (result_id,)).rowcount
            if found:
                connection.execute(
                    "INSERT INTO tombstones VALUES (?, ?)", (result_id, now_s + TOMBSTONE_S)
                )
        with self._connect() as connection:
            _forget_log(connection)
        if not found:
            self._raise_gone(result_id)

    def usage(self) -> Usage:
        """See `Store`."""
        with self._connect() as connection:
            return Usage(
                *connection.execute(
                    "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM results WHERE expires_s > ?",
                    (self._clock(),),
                ).fetchone()
            )

    def check(self) -> None:
        """See `Store`."""
        with self._connect() as connection:
            connection.execute(_KEPT, ("",)).fetchone()

    def _fetch(self, query: str, result_id: str) -> tuple[Any, ...]:
        """Seconds left, the document of `write_meta`, and the blobs that `query` asks for."""
        with self._connect() as connection:
            row = connection.execute(query, (result_id,)).fetchone()
        left_s = 0.0 if row is None else row[0] - self._clock()
        if left_s <= 0:
            self._raise_gone(result_id)
        return left_s, json.loads(row[1]), *row[2:]

    def _raise_gone(self, result_id: str) -> NoReturn:
        with self._connect() as connection:
            known = connection.execute(
                "SELECT id FROM results WHERE id = :id UNION SELECT id FROM tombstones"
                " WHERE id = :id",
                {"id": result_id},
            ).fetchone()
        if known is None:
            raise UnknownResultError(f"expected the id of a transcription, got {result_id}")
        raise ExpiredResultError(
            f"{result_id} is no longer kept: results are kept for {self._ttl_s:g} s, "
            f"in {self._max_bytes} bytes, unless they are deleted"
        )

    def _create(self) -> None:
        with self._connect() as connection:
            # Of a new file: half the processor time of 4096 bytes for a matrix of 600 kB.
            connection.execute("PRAGMA page_size=16384")
            # Freed pages go back to the file system, or the file would keep its greatest size.
            connection.execute("PRAGMA auto_vacuum=FULL")
            enter_wal(connection)
        with self._transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, LAYOUT):
                raise StoreError(f"expected layout {LAYOUT}, got {version}; remove the file")
            for statement in _SCHEMA:
                connection.execute(statement)
            _bury(connection, self._clock(), self._max_bytes)
        with self._connect() as connection:
            _forget_log(connection)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection that holds the write lock; all or nothing of what it does stays."""
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                yield connection

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle_or_new()
            try:
                yield connection
            except BaseException:
                connection.close()  # and with it what was begun
                raise
        except sqlite3.Error as error:
            raise StoreError(f"the store failed: {error}") from error
        self._idle.append(connection)

    def _idle_or_new(self) -> sqlite3.Connection:
        with suppress(IndexError):
            return self._idle.pop()  # the last: few are in use, and stay in the cache
        connection = sqlite3.connect(
            self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        # A power cut may lose the last results, never the file.
        connection.execute("PRAGMA synchronous=NORMAL")
        # What is deleted, because somebody wants it or it has expired, is overwritten.
        connection.execute("PRAGMA secure_delete=ON")
        return connection


def _bury(connection: sqlite3.Connection, now_s: float, room: int) -> None:
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


def _forget_log(connection: sqlite3.Connection) -> None:
    """Bring the file up to date and empty the write-ahead log, where deleted bytes may stand.

    If another process is writing just now, it is left to the next that empties it.
    """
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
