"""How long every store keeps results, and how much: the same tests for each kind."""

import pytest
from stores import SMALL, TTL_S, put, with_phonemes

from service.errors import (
    ExpiredResultError,
    ResultTooLargeError,
    StoreError,
    UnknownResultError,
)
from service.store.base import TOMBSTONE_S, new_id
from service.store.serialization import pack


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


@pytest.mark.parametrize("what", ["frames", "phonemes", "features", "transcription"])
def test_result_larger_than_the_store_is_refused_and_nothing_is_lost(
    stores, make_posteriors, make_features, what
):
    larger = {
        "frames": {"posteriors": make_posteriors(frames=500)},
        "phonemes": {"posteriors": with_phonemes(make_posteriors())},
        "features": {"features": make_features()},
        "transcription": {"transcription": b" " * 5800},
    }
    store = stores.open(max_bytes=50 * 29 * 4 + 400)
    result_id = put(store, make_posteriors())
    with pytest.raises(StoreError, match="expected at most 6200 bytes"):
        put(store, **{"posteriors": make_posteriors(), **larger[what]})
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
