"""What every store does: the same tests for each kind."""

import os
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from stores import SMALL, TTL_S, RedisStores, SqliteStores, put

from otoscope import ARPABET, FeatureSpec, PhonemePosteriors, PhonemeSet
from service.errors import (
    ExpiredResultError,
    ResultTooLargeError,
    StoreError,
    UnknownResultError,
)
from service.settings import Settings
from service.store.base import ID_PATTERN, TOMBSTONE_S, new_id
from service.store.open import open_store
from service.store.serialization import pack

WRITER = """
import sys
import numpy as np
from otoscope import ENGLISH, FeatureMatrix, FeatureSpec, FrameClock, Posteriors
from service.settings import load_settings
from service.store.base import new_id
from service.store.open import open_store

sys.stdin.readline()  # all writers wait here, to start together
store = open_store(load_settings())
for frames in range(1, 31):
    values = np.full((frames, ENGLISH.size), float(sys.argv[1]), dtype=np.float32)
    result_id = new_id()
    posteriors = Posteriors(values, ENGLISH, FrameClock(0.04, 1.0))
    features = FeatureMatrix(np.full((4 * frames, 80), frames, np.float32), FeatureSpec())
    store.put(result_id, posteriors, features, "sha", transcription=result_id.encode())
    assert store.get(result_id).log_probs.shape[0] == frames
    assert store.features(result_id).values.shape[0] == 4 * frames
    assert store.transcription(result_id) == result_id.encode()
    print(result_id, frames)
"""


@pytest.fixture(params=["sqlite", "redis"])
def stores(request, tmp_path):
    if request.param == "sqlite":
        return SqliteStores(tmp_path / "kept" / "results.sqlite3")
    return RedisStores(request.getfixturevalue("redis_server").url)


def chosen(stores):
    """Settings of these stores."""
    return {name.removeprefix("OTOSCOPE_").lower(): at for name, at in stores.variables.items()}


def test_ids_differ_and_fit_their_pattern():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(ID_PATTERN, each) for each in ids)


def test_check_passes(stores):
    stores.open().check()


def test_posteriors_come_back_bit_for_bit(stores, make_posteriors):
    store, kept = stores.open(), make_posteriors()
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
def test_features_come_back_bit_for_bit(stores, make_posteriors, make_features, spec):
    store, kept = stores.open(), make_features(spec=spec)
    found = store.features(put(store, make_posteriors(), kept))
    assert found.spec == spec
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.values, kept.values)


def test_what_is_known_without_the_matrices(stores, make_posteriors):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.advance(TTL_S / 2)
    kept = store.find(result_id)
    assert (kept.model_sha256, kept.duration_s) == ("sha", 2.0)
    assert 0 < kept.expires_in_s <= TTL_S / 2


def with_phonemes(posteriors, phonemes=ARPABET):
    frames = posteriors.log_probs.shape[0]
    scores = np.random.default_rng(7).standard_normal((frames, phonemes.size))
    return replace(posteriors, phonemes=PhonemePosteriors(scores.astype(np.float32), phonemes))


@pytest.mark.parametrize("frames", [0, 50])
def test_phonemes_come_back_beside_the_characters(stores, make_posteriors, frames):
    store = stores.open()
    for phonemes in (ARPABET, PhonemeSet(("x", "y"))):
        kept = with_phonemes(make_posteriors(frames=frames), phonemes)
        found = store.get(put(store, kept))
        np.testing.assert_array_equal(found.log_probs, kept.log_probs)
        np.testing.assert_array_equal(found.phonemes.log_probs, kept.phonemes.log_probs)
        assert found.phonemes.phonemes == phonemes


def test_no_phonemes_come_back_as_none(stores, make_posteriors):
    store = stores.open()
    assert store.get(put(store, make_posteriors())).phonemes is None


def test_phonemes_take_room_too(stores, make_posteriors):
    store = stores.open(max_bytes=50 * 29 * 4 + 400)
    put(store, make_posteriors())
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, with_phonemes(make_posteriors()))


def test_features_take_room_too(stores, make_posteriors, make_features):
    store = stores.open(max_bytes=50 * 29 * 4 + 400)
    put(store, make_posteriors())
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, make_posteriors(), make_features())


def test_an_hour_of_both_matrices_comes_back(stores, make_posteriors):
    """10 MB of characters and 14 MB of phonemes."""
    store = stores.open(max_bytes=2**30)
    kept = with_phonemes(make_posteriors(frames=90_000))
    found = store.get(put(store, kept))
    np.testing.assert_array_equal(found.log_probs, kept.log_probs)
    np.testing.assert_array_equal(found.phonemes.log_probs, kept.phonemes.log_probs)


def test_transcription_comes_back_byte_for_byte(stores, make_posteriors):
    store = stores.open()
    text = '{"text": "naïve"}'.encode()
    assert store.transcription(put(store, make_posteriors(), transcription=text)) == text


def test_transcription_goes_with_its_posteriors(stores, make_posteriors):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.advance(TTL_S)
    with pytest.raises(ExpiredResultError):
        store.transcription(result_id)
    with pytest.raises(UnknownResultError):
        store.transcription(new_id())


def test_transcription_takes_room_too(stores, make_posteriors):
    store = stores.open(max_bytes=50 * 29 * 4 + 400)
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, make_posteriors(), transcription=b" " * 5800)


def test_deleted_is_gone_and_its_room_is_free(stores, make_posteriors):
    store = stores.open()
    deleted, kept = put(store, make_posteriors()), put(store, make_posteriors())
    one = store.usage().size_bytes / 2
    store.delete(deleted)
    for ask in (store.find, store.get, store.features, store.transcription, store.delete):
        with pytest.raises(ExpiredResultError, match="deleted"):
            ask(deleted)
    store.get(kept)
    assert store.usage() == (1, one)


def test_deleting_what_never_was_or_has_expired(stores, make_posteriors):
    store = stores.open()
    with pytest.raises(UnknownResultError):
        store.delete(new_id())
    result_id = put(store, make_posteriors())
    stores.advance(TTL_S)
    with pytest.raises(ExpiredResultError):
        store.delete(result_id)


def test_usage_counts_what_can_be_fetched(stores, make_posteriors):
    store = stores.open()
    assert store.usage() == (0, 0)
    put(store, make_posteriors(), transcription=b"x" * 1000)
    one = store.usage()
    assert one.results == 1
    assert one.size_bytes == 1000 + 50 * 29 * 4 + SMALL.values.nbytes
    put(store, make_posteriors(), transcription=b"x" * 1000)
    assert store.usage() == (2, 2 * one.size_bytes)
    stores.advance(TTL_S)
    assert store.usage() == (0, 0)


def test_no_frames_come_back_as_no_frames(stores, make_posteriors):
    store, kept = stores.open(), make_posteriors(frames=0)
    assert store.get(put(store, kept)).log_probs.shape == kept.log_probs.shape


def test_reopened_store_still_has_it(stores, make_posteriors):
    result_id = put(stores.open(), make_posteriors())
    assert stores.open().get(result_id).log_probs.shape == (50, 29)


@pytest.mark.parametrize("ask", ["find", "get", "features", "transcription"])
def test_id_that_never_was(stores, ask):
    with pytest.raises(UnknownResultError):
        getattr(stores.open(), ask)(new_id())


@pytest.mark.parametrize("ask", ["find", "get", "features", "transcription"])
def test_expires(stores, make_posteriors, ask):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.advance(TTL_S / 2)
    getattr(store, ask)(result_id)
    stores.advance(TTL_S / 2)
    with pytest.raises(ExpiredResultError, match="100 s"):
        getattr(store, ask)(result_id)


def test_expired_is_told_from_unknown_until_the_tombstone_goes(stores, make_posteriors):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.advance(TTL_S)
    put(store, make_posteriors())  # sweeps
    with pytest.raises(ExpiredResultError):
        store.get(result_id)
    stores.advance(TOMBSTONE_S)
    put(store, make_posteriors())
    with pytest.raises(UnknownResultError):
        store.get(result_id)


def test_oldest_gives_way_when_there_is_no_room(stores, make_posteriors):
    kept = [make_posteriors(seed=seed) for seed in range(4)]
    sizes = [len(b"{}") + len(pack(each.log_probs)) + len(pack(SMALL.values)) for each in kept]
    store = stores.open(max_bytes=sum(sizes[1:]))
    ids = []
    for posteriors in kept:
        stores.advance(1)
        ids.append(put(store, posteriors))
    with pytest.raises(ExpiredResultError):
        store.get(ids[0])
    for result_id in ids[1:]:
        store.get(result_id)


def test_result_larger_than_the_store_is_refused_and_nothing_is_lost(stores, make_posteriors):
    store = stores.open(max_bytes=50 * 29 * 4 + 400)
    result_id = put(store, make_posteriors())
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, make_posteriors(frames=500))
    store.get(result_id)


def test_result_larger_than_one_may_be_is_refused_and_takes_no_others_place(
    stores, make_posteriors
):
    size = 50 * 29 * 4 + SMALL.values.nbytes + len(b"{}")
    store = stores.open(max_bytes=3 * size, max_result_bytes=size)
    kept = [put(store, make_posteriors()) for _ in range(3)]
    with pytest.raises(ResultTooLargeError, match=f"at most {size} bytes .* got {size + 1}"):
        put(store, make_posteriors(), transcription=b"{ }")
    assert store.usage() == (3, 3 * size)
    for result_id in kept:
        store.get(result_id)


def test_one_may_not_take_more_than_all(stores, make_posteriors):
    store = stores.open(max_bytes=50 * 29 * 4 + 400, max_result_bytes=2**20)
    with pytest.raises(ResultTooLargeError, match="expected at most 6200 bytes"):
        put(store, make_posteriors(frames=500))


def test_processes_share_one_store(stores):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, f"-{level}.5"],
            env={**os.environ, **stores.variables},
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
    with closing(open_store(Settings(**chosen(stores)))) as store:
        assert store.usage().results == 60
        for level, output in enumerate(outputs):
            lines = output.splitlines()
            assert len(lines) == 30
            for line in lines:
                result_id, frames = line.split()
                log_probs = store.get(result_id).log_probs
                assert log_probs.shape == (int(frames), 29)
                assert (log_probs == -(level + 0.5)).all()
