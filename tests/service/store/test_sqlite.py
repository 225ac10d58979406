"""What is SQLite's own; `test_base` and `test_bounds` have what every store does."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from stores import TTL_S, SqliteStores, put

from service.errors import ExpiredResultError, StartError, StoreError, UnknownResultError
from service.store import sqlite
from service.store.base import Bounds
from service.store.sqlite import SqliteStore


@pytest.fixture
def stores(tmp_path):
    return SqliteStores(tmp_path / "kept" / "results.sqlite3")


def test_check_says_what_is_wrong(stores):
    store = stores.open()
    with closing(sqlite3.connect(stores.path)) as connection:
        connection.execute("DROP TABLE results")
    with pytest.raises(StoreError, match="no such table"):
        store.check()


@pytest.mark.parametrize("older", [1, 2, 3])
def test_a_file_of_an_older_layout_is_refused(stores, older):
    stores.open()
    path = stores.path
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {older}")
    with pytest.raises(StartError, match=f"expected layout 5, got {older}; remove the file"):
        stores.open()


def test_deleted_is_gone_from_the_files(stores, make_posteriors):
    store = stores.open()
    secret = b'{"text": "the quick brown fox"}'
    result_id = put(store, make_posteriors(), transcription=secret)
    put(store, make_posteriors())
    assert any(secret in path.read_bytes() for path in stores.path.parent.iterdir())
    store.delete(result_id)
    assert not any(secret in path.read_bytes() for path in stores.path.parent.iterdir())


def test_deleting_what_has_expired_overwrites_it(stores, make_posteriors):
    store = stores.open()
    result_id = put(store, make_posteriors(), transcription=b"long ago")
    stores.advance(TTL_S)
    with pytest.raises(ExpiredResultError):
        store.delete(result_id)
    assert b"long ago" not in stores.path.read_bytes()


def on_disk(path):
    """Bytes of the file and of the log beside it."""
    return sum(each.stat().st_size for each in (path, path.with_name(f"{path.name}-wal")))


def test_opening_removes_what_has_expired(stores, make_posteriors):
    stores.open()
    path = stores.path
    store = stores.open()
    for seed in range(20):
        put(store, make_posteriors(frames=500, seed=seed))
    before = on_disk(path)
    stores.advance(TTL_S)
    stores.open()
    assert on_disk(path) < before / 10


@pytest.mark.parametrize("ask", ["find", "get", "features", "transcription"])
def test_expires_at_its_time(stores, make_posteriors, ask):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.advance(TTL_S - 0.1)
    getattr(store, ask)(result_id)
    stores.advance(0.1)
    with pytest.raises(ExpiredResultError, match="100 s"):
        getattr(store, ask)(result_id)


def test_many_openings_at_once_of_a_new_file(tmp_path):
    code = (
        "import sys; from pathlib import Path; from service.store.base import Bounds;"
        "from service.store.sqlite import SqliteStore;"
        "sys.stdin.readline();"
        "[SqliteStore(Path(sys.argv[1]) / f'{n}.sqlite3', Bounds(1, 1)) for n in range(30)]"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in processes:
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 4


@pytest.mark.parametrize("place", ["a file/results.sqlite3", "garbage.sqlite3", "directory"])
def test_unusable_place_names_the_variable(tmp_path, place):
    (tmp_path / "a file").touch()
    (tmp_path / "garbage.sqlite3").write_bytes(b"not a database " * 1000)
    (tmp_path / "directory").mkdir()
    with pytest.raises(StartError, match="OTOSCOPE_STORE_PATH: expected .* got .*" + place[:6]):
        SqliteStore(tmp_path / place, Bounds(1.0, 1))


def test_directory_it_makes_is_for_this_user_alone(stores):
    assert stores.open()._path.parent.stat().st_mode & 0o777 == 0o700


def endings(path):
    return [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]


@pytest.mark.parametrize("gone", [slice(1), slice(3), slice(1, 2)], ids=["file", "all", "log"])
def test_a_file_that_is_deleted_is_created_again(stores, make_posteriors, gone):
    """What is acknowledged afterwards is in a file that another process can open."""
    store = stores.open()
    put(store, make_posteriors())
    for path in endings(stores.path)[gone]:
        path.unlink()
    result_id = put(store, make_posteriors(seed=1), transcription=b"kept")
    assert stores.open().transcription(result_id) == b"kept"
    assert store.transcription(result_id) == b"kept"
    store.check()


def test_what_was_in_a_deleted_file_is_unknown(stores, make_posteriors):
    store = stores.open()
    result_id = put(store, make_posteriors())
    for path in endings(stores.path):
        path.unlink(missing_ok=True)
    with pytest.raises(UnknownResultError):
        store.get(result_id)


def test_nothing_is_acknowledged_into_a_file_that_is_deleted_meanwhile(
    stores, make_posteriors, monkeypatch
):
    store = stores.open()

    def evict_and_delete(*_):
        stores.path.unlink()

    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "_evict", evict_and_delete)
        with pytest.raises(StoreError, match="its file was deleted"):
            put(store, make_posteriors())
    result_id = put(store, make_posteriors())
    assert stores.open().find(result_id)


def test_a_file_that_is_replaced_by_another_is_told(stores, make_posteriors):
    store = stores.open()
    for path in endings(stores.path):
        path.unlink(missing_ok=True)
    stores.path.write_bytes(b"something else " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        store.check()


def test_a_full_disk_is_told_by_check_and_by_put(small_disk, make_posteriors):
    stores = SqliteStores(small_disk / "results.sqlite3")
    store = stores.open(max_bytes=2**30)
    result_id = put(store, make_posteriors())
    store.check()
    room = shutil.disk_usage(small_disk).free
    (small_disk / "filling").write_bytes(bytes(room))
    with pytest.raises(StoreError, match=r"room on the disk"):
        store.check()
    with pytest.raises(StoreError):
        put(store, make_posteriors(frames=50_000))
    store.get(result_id)
    (small_disk / "filling").unlink()
    store.check()
    put(store, make_posteriors())
