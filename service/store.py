"""Posteriors kept for a while, so that GET /probs can fetch what POST /transcribe computed.

The SQLite store is one file in write-ahead mode: any number of processes on one machine share it,
and what one keeps the others find. Each operation opens a connection of its own, which needs no
rule about threads.
"""

import json
import os
import sqlite3
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from otoscope import Alphabet, FrameClock, PhonemePosteriors, PhonemeSet, Posteriors
from otoscope.posteriors import LogProbs
from otoscope.symbols import SymbolSet
from service.errors import ExpiredResultError, StartError, StoreError, UnknownResultError

ID_PATTERN = r"^[0-9a-f]{32}$"
"""Ids are 122 random bits in hexadecimal: to know one is to be allowed to read it."""

TOMBSTONE_S = 7 * 86400.0
"""How long an expired id is still told from one that never was."""

_VERSION = 2
_BUSY_S = 10.0
_ZLIB_LEVEL = 1
_DTYPE = np.dtype("<f4")

_SCHEMA = (
    # size comes before the blobs, so that adding sizes up reads no blobs.
    """CREATE TABLE IF NOT EXISTS results (
        id TEXT PRIMARY KEY, created_s REAL NOT NULL, expires_s REAL NOT NULL,
        size INTEGER NOT NULL, meta TEXT NOT NULL, log_probs BLOB NOT NULL,
        phoneme_log_probs BLOB)""",
    "CREATE TABLE IF NOT EXISTS tombstones (id TEXT PRIMARY KEY, forget_s REAL NOT NULL)",
    f"PRAGMA user_version = {_VERSION}",
)


class Store(Protocol):
    """What the routes need of a store."""

    def put(self, result_id: str, posteriors: Posteriors, model_sha256: str) -> None:
        """Keep the posteriors under an id from `new_id`.

        Raises:
            StoreError: if they can't be kept.
        """

    def get(self, result_id: str) -> Posteriors:
        """What `put` kept.

        Raises:
            UnknownResultError, ExpiredResultError: if there is nothing, and why.
            StoreError: if the store fails.
        """


def new_id() -> str:
    """An id that nobody can guess."""
    return uuid.uuid4().hex


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
        _make_private(path.parent)
        try:
            self._create()
        except StoreError as error:
            raise StartError(f"{_unusable(path)}: {error}") from error

    def put(self, result_id: str, posteriors: Posteriors, model_sha256: str) -> None:
        """See `Store`. What has expired and what there is no more room for is removed first."""
        characters = _compress(posteriors.log_probs)
        phonemes = None
        if posteriors.phonemes is not None:
            phonemes = _compress(posteriors.phonemes.log_probs)
        size = len(characters) + len(phonemes or b"")
        if size > self._max_bytes:
            raise StoreError(f"expected at most {self._max_bytes} bytes, got {size}")
        meta = _write_meta(posteriors, model_sha256)
        now_s = self._clock()
        with self._transaction() as connection:
            _bury(connection, now_s, self._max_bytes - size)
            connection.execute(
                "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?)",
                (result_id, now_s, now_s + self._ttl_s, size, meta, characters, phonemes),
            )

    def get(self, result_id: str) -> Posteriors:
        """See `Store`."""
        with self._connect() as connection:
            row = connection.execute(
                "SELECT expires_s, meta, log_probs, phoneme_log_probs FROM results WHERE id = ?",
                (result_id,),
            ).fetchone()
            if row is not None and row[0] > self._clock():
                return _read(*row[1:])
            if (
                row is None
                and not connection.execute(
                    "SELECT 1 FROM tombstones WHERE id = ?", (result_id,)
                ).fetchone()
            ):
                raise UnknownResultError(f"expected the id of a transcription, got {result_id}")
        raise ExpiredResultError(
            f"{result_id} is no longer kept: results are kept for {self._ttl_s:g} s, "
            f"in {self._max_bytes} bytes"
        )

    def _create(self) -> None:
        with self._connect() as connection:
            # Freed pages go back to the file system, or the file would keep its greatest size.
            connection.execute("PRAGMA auto_vacuum=FULL")
            _enter_wal(connection)
        with self._transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise StoreError(f"expected layout {_VERSION}, got {version}; remove the file")
            for statement in _SCHEMA:
                connection.execute(statement)
            _bury(connection, self._clock(), self._max_bytes)

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
            with closing(
                sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
            ) as connection:
                # A power cut may lose the last results, never the file.
                connection.execute("PRAGMA synchronous=NORMAL")
                yield connection
        except sqlite3.Error as error:
            raise StoreError(f"the store failed: {error}") from error


def _bury(connection: sqlite3.Connection, now_s: float, room: int) -> None:
    """Turn what has expired, and the oldest beyond `room` bytes, into tombstones."""
    connection.execute("DELETE FROM tombstones WHERE forget_s <= ?", (now_s,))
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


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead mode, once.

    SQLite does not wait for other processes here, whatever the time-out, so this does.
    """
    deadline_s = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
        else:
            return


def _write_meta(posteriors: Posteriors, model_sha256: str) -> str:
    return json.dumps(
        {
            "symbols": posteriors.alphabet.symbols,
            "phonemes": posteriors.phonemes and posteriors.phonemes.phonemes.symbols,
            "frame_s": posteriors.clock.frame_s,
            "duration_s": posteriors.clock.duration_s,
            "model_sha256": model_sha256,
        }
    )


def _read(meta_json: str, characters: bytes, phonemes: bytes | None) -> Posteriors:
    meta = json.loads(meta_json)
    alphabet = Alphabet(tuple(meta["symbols"]))
    clock = FrameClock(meta["frame_s"], meta["duration_s"])
    spoken = None
    if phonemes is not None:
        names = PhonemeSet(tuple(meta["phonemes"]))
        spoken = PhonemePosteriors(_decompress(phonemes, names), names)
    return Posteriors(_decompress(characters, alphabet), alphabet, clock, spoken)


def _compress(log_probs: LogProbs) -> bytes:
    """(frames, classes) float32 -> little-endian float32, compressed."""
    return zlib.compress(log_probs.astype(_DTYPE).tobytes(), _ZLIB_LEVEL)


def _decompress(blob: bytes, symbols: SymbolSet) -> LogProbs:
    """What `_compress` wrote of classes that are `symbols` and a blank."""
    values = np.frombuffer(zlib.decompress(blob), dtype=_DTYPE).reshape(-1, symbols.size)
    return values.astype(np.float32, copy=False)


def _make_private(directory: Path) -> None:
    """Make the directory, or see that the one that is there can be trusted and written."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"{_unusable(directory)}: {error}") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StartError(f"{_unusable(directory)}: it is not writable for this user")


def _unusable(path: Path) -> str:
    return f"OTOSCOPE_STORE_PATH: expected a SQLite file in a writable directory, got {path}"
