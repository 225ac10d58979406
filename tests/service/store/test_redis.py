"""What is Redis' own; `test_base` and `test_bounds` have what every store does."""

from contextlib import suppress

import pytest
import redis
from running_redis import running_redis
from stores import SMALL, TTL_S, RedisStores, put

from service.errors import ExpiredResultError, StoreError
from service.store.base import Bounds, new_id
from service.store.redis import PREFIX, RedisStore, _marker, _result
from service.store.redis_client import RedisServer


@pytest.fixture
def stores(redis_server):
    return RedisStores(redis_server.url)


def test_every_key_is_bounded_or_empties(stores, make_posteriors):
    """Nothing that a result leaves behind stays for ever."""
    store = stores.open()
    put(store, make_posteriors())
    keys = {key.decode() for key in stores.client.scan_iter()}
    assert all(key.startswith(PREFIX) for key in keys)
    for_ever = {key for key in keys if stores.client.ttl(key) == -1}
    assert for_ever == {f"{PREFIX}expiry", f"{PREFIX}sizes"}
    stores.advance(TTL_S)
    assert store.usage() == (0, 0)
    assert not stores.client.exists(f"{PREFIX}expiry")
    assert stores.client.hgetall(f"{PREFIX}sizes") == {b"total": b"0"}


def test_what_the_server_evicted_is_told_as_gone_and_gives_its_room_back(stores, make_posteriors):
    store = stores.open()
    evicted, kept = put(store, make_posteriors()), put(store, make_posteriors())
    one = store.usage().size_bytes / 2
    stores.client.delete(_result(evicted))
    with pytest.raises(ExpiredResultError):
        store.get(evicted)
    assert store.usage() == (1, one)
    store.get(kept)


def test_sizes_that_the_server_lost_do_not_stop_it(stores, make_posteriors):
    store = stores.open(max_bytes=20_000)
    put(store, make_posteriors())
    stores.client.delete(f"{PREFIX}expiry")
    for _ in range(5):
        put(store, make_posteriors())
    assert store.usage().size_bytes <= 20_000


def test_keeping_twice_counts_once(stores, make_posteriors):
    """As when the first answer got lost, and the client library asked again."""
    store, posteriors = stores.open(), make_posteriors()
    result_id = put(store, posteriors)
    usage = store.usage()
    store.put(result_id, posteriors, store.features(result_id), "sha", transcription=b"{}")
    assert store.usage() == usage


def test_deleted_is_remembered_as_long_as_in_any_store(stores, make_posteriors):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.advance(TTL_S / 2)
    store.delete(result_id)
    assert stores.client.ttl(_marker(result_id)) > 7 * 86400 - TTL_S


def test_what_it_acknowledged_outlives_the_server(tmp_path, make_posteriors):
    with running_redis(tmp_path, "--appendfsync", "always") as server:
        stores = RedisStores(server.url)
        store = stores.open()
        ids = [put(store, make_posteriors(seed=seed)) for seed in range(5)]
        server.kill()
        server.start()
        for result_id in ids:
            assert store.get(result_id).log_probs.shape == (50, 29)


def test_a_server_without_room_is_an_error_and_not_a_loss(tmp_path, make_posteriors):
    with running_redis(tmp_path, "--maxmemory", "3mb") as server:
        stores = RedisStores(server.url)
        store = stores.open(max_bytes=2**30)
        kept = []
        with pytest.raises(StoreError, match="maxmemory"):  # noqa: PT012 - who knows at which
            while len(kept) < 1000:
                kept.append(put(store, make_posteriors()))
        assert kept
        stores.client.config_set("maxmemory", "100mb")  # above it, a transaction may not even read
        assert store.get(kept[-1]).log_probs.shape == (50, 29)
        put(store, make_posteriors())
        assert store.usage().results == len(kept) + 1


def test_a_replica_is_no_place_to_keep_results(tmp_path, redis_server):
    with running_redis(tmp_path) as server:
        client = redis.Redis(port=server.port)
        client.replicaof("127.0.0.1", redis_server.port)
        with pytest.raises(StoreError, match="read only"):
            RedisStore(RedisServer(server.url), Bounds(TTL_S, 1)).check()


WRONG = [f"{PREFIX}expiry", f"{PREFIX}sizes", _result("probe")]


@pytest.mark.parametrize("key", WRONG)
def test_a_key_of_the_wrong_type_is_noticed(stores, key):
    store = stores.open()
    store.check()
    stores.client.delete(key)
    stores.client.set(key, "text")
    with pytest.raises(StoreError, match="WRONGTYPE"):
        store.check()
    stores.client.delete(key)
    store.check()
    assert store.usage() == (0, 0)


def test_checking_leaves_nothing_and_drops_nothing(stores, make_posteriors):
    store = stores.open(max_bytes=20_000)
    result_id = put(store, make_posteriors())
    usage = store.usage()
    for _ in range(3):
        store.check()
    assert store.usage() == usage
    store.get(result_id)
    assert not stores.client.exists(_result("probe"))


def test_no_error_names_a_result(stores, make_posteriors):
    store = stores.open()
    result_id = new_id()
    stores.client.set(_result(result_id), "text")
    asked = [
        lambda: store.put(result_id, make_posteriors(), SMALL, "sha", transcription=b"{}"),
        lambda: store.get(result_id),
        lambda: store.find(result_id),
    ]
    for ask in asked:
        with pytest.raises(StoreError) as raised:
            ask()
        assert result_id not in str(raised.value)
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    "fields",
    [
        {"meta": b"no JSON"},
        {"meta": b"[]"},
        {"meta": b"{}"},
        {"meta": b"\xff\xfe"},
        {"log_probs": b"x", "features": b"x", "transcription": b"x"},
        {"log_probs": b"\xff" * 29 * 4 * 3},
    ],
)
@pytest.mark.parametrize("ask", ["find", "get", "features", "transcription", "warnings"])
def test_a_damaged_entry_is_gone_and_no_unexpected_error(stores, make_posteriors, fields, ask):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.client.hset(_result(result_id), mapping=fields)
    with suppress(ExpiredResultError):
        getattr(store, ask)(result_id)


@pytest.mark.parametrize("field", ["log_probs", "features", "transcription"])
def test_an_entry_without_a_field_is_gone(stores, make_posteriors, field):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.client.hdel(_result(result_id), field)
    ask = {"log_probs": "get"}.get(field, field)
    with pytest.raises(ExpiredResultError, match="damaged"):
        getattr(store, ask)(result_id)
