import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from otoscope import ARPABET, FeatureMatrix, FeatureSpec, PhonemePosteriors, PhonemeSet
from service.errors import ExpiredResultError, StartError, StoreError, UnknownResultError
from service.packing import pack
from service.sqlite_store import TOMBSTONE_S, SqliteStore
from service.store import Kept, new_id

TTL_S = 100.0
SMALL = FeatureMatrix(np.zeros((1, 80), dtype=np.float32), FeatureSpec())

WRITER = """
import sys
from pathlib import Path
import numpy as np
from otoscope import ENGLISH, FeatureMatrix, FeatureSpec, FrameClock, Posteriors
from service.sqlite_store import SqliteStore
from service.store import new_id

sys.stdin.readline()  # all writers wait here, to start together
store = SqliteStore(Path(sys.argv[1]), ttl_s=100.0, max_bytes=2**30)
for frames in range(1, 31):
    values = np.full((frames, ENGLISH.size), float(sys.argv[2]), dtype=np.float32)
    result_id = new_id()
    posteriors = Posteriors(values, ENGLISH, FrameClock(0.04, 1.0))
    features = FeatureMatrix(np.full((4 * frames, 80), frames, np.float32), FeatureSpec())
    store.put(result_id, posteriors, features, "sha", transcription=result_id.encode())
    assert store.get(result_id).log_probs.shape[0] == frames
    assert store.features(result_id).values.shape[0] == 4 * frames
    assert store.transcription(result_id) == result_id.encode()
    print(result_id, frames)
"""


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_store(tmp_path, clock):
    def make(max_bytes=2**20):
        path = tmp_path / "kept" / "results.sqlite3"
        return SqliteStore(path, ttl_s=TTL_S, max_bytes=max_bytes, clock=clock)

    return make


def put(store, posteriors, features=SMALL, transcription=b"{}"):
    result_id = new_id()
    store.put(result_id, posteriors, features, "sha", transcription=transcription)
    return result_id


def test_posteriors_come_back_bit_for_bit(make_store, make_posteriors):
    store, kept = make_store(), make_posteriors()
    found = store.get(put(store, kept))
    assert found.log_probs.dtype == np.float32
    np.testing.assert_array_equal(found.log_probs, kept.log_probs)
    assert (found.alphabet, found.clock) == (kept.alphabet, kept.clock)


@pytest.mark.parametrize(
    "spec",
    [
        FeatureSpec(),
        FeatureSpec(kind="mfcc", n_mfcc=13),
        FeatureSpec(
            n_mels=2, normalisation="corpus", corpus_mean=(0.1, -0.2), corpus_std=(1.5, 2.0)
        ),
    ],
    ids=["log-mel", "mfcc", "corpus"],
)
def test_features_come_back_bit_for_bit(make_store, make_posteriors, make_features, spec):
    store, kept = make_store(), make_features(spec=spec)
    found = store.features(put(store, make_posteriors(), kept))
    assert found.spec == spec
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.values, kept.values)


def test_what_is_known_without_the_matrices(make_store, make_posteriors, clock):
    store = make_store()
    result_id = put(store, make_posteriors())
    clock.now_s += 30.0
    assert store.find(result_id) == Kept("sha", duration_s=2.0, left_s=TTL_S - 30.0)


def with_phonemes(posteriors, phonemes=ARPABET):
    frames = posteriors.log_probs.shape[0]
    scores = np.random.default_rng(7).standard_normal((frames, phonemes.size))
    return replace(posteriors, phonemes=PhonemePosteriors(scores.astype(np.float32), phonemes))


@pytest.mark.parametrize("frames", [0, 50])
def test_phonemes_come_back_beside_the_characters(make_store, make_posteriors, frames):
    store = make_store()
    for phonemes in (ARPABET, PhonemeSet(("x", "y"))):
        kept = with_phonemes(make_posteriors(frames=frames), phonemes)
        found = store.get(put(store, kept))
        np.testing.assert_array_equal(found.log_probs, kept.log_probs)
        np.testing.assert_array_equal(found.phonemes.log_probs, kept.phonemes.log_probs)
        assert found.phonemes.phonemes == phonemes


def test_no_phonemes_come_back_as_none(make_store, make_posteriors):
    store = make_store()
    assert store.get(put(store, make_posteriors())).phonemes is None


def test_phonemes_take_room_too(make_store, make_posteriors):
    store = make_store(max_bytes=50 * 29 * 4 + 400)
    put(store, make_posteriors())
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, with_phonemes(make_posteriors()))


def test_features_take_room_too(make_store, make_posteriors, make_features):
    store = make_store(max_bytes=50 * 29 * 4 + 400)
    put(store, make_posteriors())
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, make_posteriors(), make_features())


@pytest.mark.parametrize("older", [1, 2, 3])
def test_a_file_of_an_older_layout_is_refused(make_store, older):
    path = make_store()._path
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {older}")
    with pytest.raises(StartError, match=f"expected layout 5, got {older}; remove the file"):
        make_store()


def test_an_hour_of_both_matrices_comes_back(make_store, make_posteriors):
    """10 MB of characters and 14 MB of phonemes."""
    store = make_store(max_bytes=2**30)
    kept = with_phonemes(make_posteriors(frames=90_000))
    found = store.get(put(store, kept))
    np.testing.assert_array_equal(found.log_probs, kept.log_probs)
    np.testing.assert_array_equal(found.phonemes.log_probs, kept.phonemes.log_probs)


def test_transcription_comes_back_byte_for_byte(make_store, make_posteriors):
    store = make_store()
    text = '{"text": "naïve"}'.encode()
    assert store.transcription(put(store, make_posteriors(), transcription=text)) == text


def test_transcription_goes_with_its_posteriors(make_store, make_posteriors, clock):
    store = make_store()
    result_id = put(store, make_posteriors())
    clock.now_s += TTL_S
    with pytest.raises(ExpiredResultError):
        store.transcription(result_id)
    with pytest.raises(UnknownResultError):
        store.transcription(new_id())


def test_transcription_takes_room_too(make_store, make_posteriors):
    store = make_store(max_bytes=50 * 29 * 4 + 400)
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, make_posteriors(), transcription=b" " * 5800)


def test_deleted_is_gone_from_the_store_and_from_its_files(make_store, make_posteriors):
    store = make_store()
    secret = b'{"text": "the quick brown fox"}'
    deleted, kept = (
        put(store, make_posteriors(), transcription=secret),
        put(store, make_posteriors()),
    )
    files = list(store._path.parent.iterdir())
    assert any(secret in path.read_bytes() for path in files)
    store.delete(deleted)
    for ask in (store.find, store.get, store.features, store.transcription, store.delete):
        with pytest.raises(ExpiredResultError, match="deleted"):
            ask(deleted)
    assert not any(secret in path.read_bytes() for path in store._path.parent.iterdir())
    store.get(kept)


def test_deleting_what_never_was_or_has_expired(make_store, make_posteriors, clock):
    store = make_store()
    with pytest.raises(UnknownResultError):
        store.delete(new_id())
    result_id = put(store, make_posteriors(), transcription=b"long ago")
    clock.now_s += TTL_S
    with pytest.raises(ExpiredResultError):
        store.delete(result_id)
    assert b"long ago" not in store._path.read_bytes()


def test_usage_counts_what_can_be_fetched(make_store, make_posteriors, clock):
    store = make_store()
    assert store.usage() == (0, 0)
    put(store, make_posteriors(), transcription=b"x" * 1000)
    one = store.usage()
    assert one.results == 1
    assert one.size_bytes == 1000 + 50 * 29 * 4 + SMALL.values.nbytes
    put(store, make_posteriors(), transcription=b"x" * 1000)
    assert store.usage() == (2, 2 * one.size_bytes)
    clock.now_s += TTL_S
    assert store.usage() == (0, 0)


def test_no_frames_come_back_as_no_frames(make_store, make_posteriors):
    store, kept = make_store(), make_posteriors(frames=0)
    assert store.get(put(store, kept)).log_probs.shape == kept.log_probs.shape


def test_reopened_store_still_has_it(make_store, make_posteriors):
    result_id = put(make_store(), make_posteriors())
    assert make_store().get(result_id).log_probs.shape == (50, 29)


@pytest.mark.parametrize("ask", ["find", "get", "features", "transcription"])
def test_id_that_never_was(make_store, ask):
    with pytest.raises(UnknownResultError):
        getattr(make_store(), ask)(new_id())


@pytest.mark.parametrize("ask", ["find", "get", "features", "transcription"])
def test_expires_at_its_time(make_store, make_posteriors, clock, ask):
    store = make_store()
    result_id = put(store, make_posteriors())
    clock.now_s += TTL_S - 0.1
    getattr(store, ask)(result_id)
    clock.now_s += 0.1
    with pytest.raises(ExpiredResultError, match="100 s"):
        getattr(store, ask)(result_id)


def test_expired_is_told_from_unknown_until_the_tombstone_goes(make_store, make_posteriors, clock):
    store = make_store()
    result_id = put(store, make_posteriors())
    clock.now_s += TTL_S
    put(store, make_posteriors())  # sweeps
    with pytest.raises(ExpiredResultError):
        store.get(result_id)
    clock.now_s += TOMBSTONE_S
    put(store, make_posteriors())
    with pytest.raises(UnknownResultError):
        store.get(result_id)


def on_disk(path):
    """Bytes of the file and of the log beside it."""
    return sum(each.stat().st_size for each in (path, path.with_name(f"{path.name}-wal")))


def test_opening_removes_what_has_expired(make_store, make_posteriors, clock):
    path = make_store()._path
    store = make_store()
    for seed in range(20):
        put(store, make_posteriors(frames=500, seed=seed))
    before = on_disk(path)
    clock.now_s += TTL_S
    make_store()
    assert on_disk(path) < before / 10


def test_oldest_gives_way_when_there_is_no_room(make_store, make_posteriors, clock):
    kept = [make_posteriors(seed=seed) for seed in range(4)]
    sizes = [len(b"{}") + len(pack(each.log_probs)) + len(pack(SMALL.values)) for each in kept]
    store = make_store(max_bytes=sum(sizes[1:]))
    ids = []
    for posteriors in kept:
        clock.now_s += 1
        ids.append(put(store, posteriors))
    with pytest.raises(ExpiredResultError):
        store.get(ids[0])
    for result_id in ids[1:]:
        store.get(result_id)


def test_result_larger_than_the_store_is_refused_and_nothing_is_lost(make_store, make_posteriors):
    store = make_store(max_bytes=50 * 29 * 4 + 400)
    result_id = put(store, make_posteriors())
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, make_posteriors(frames=500))
    store.get(result_id)


def test_processes_share_one_file(tmp_path):
    path = tmp_path / "results.sqlite3"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"-{level}.5"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for level in range(2)
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    store = SqliteStore(path, ttl_s=TTL_S, max_bytes=2**30)
    for level, output in enumerate(outputs):
        lines = output.splitlines()
        assert len(lines) == 30
        for line in lines:
            result_id, frames = line.split()
            log_probs = store.get(result_id).log_probs
            assert log_probs.shape == (int(frames), 29)
            assert (log_probs == -(level + 0.5)).all()


def test_many_openings_at_once_of_a_new_file(tmp_path):
    code = (
        "import sys; from pathlib import Path; from service.sqlite_store import SqliteStore;"
        "sys.stdin.readline();"
        "[SqliteStore(Path(sys.argv[1]) / f'{n}.sqlite3', ttl_s=1, max_bytes=1) for n in range(30)]"
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
        SqliteStore(tmp_path / place, ttl_s=1.0, max_bytes=1)


def test_directory_it_makes_is_for_this_user_alone(make_store):
    assert make_store()._path.parent.stat().st_mode & 0o777 == 0o700
