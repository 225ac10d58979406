"""The store in a Redis server, which any number of services on any number of machines share.

Each result is a hash that expires by itself. There are also an index of all ids by the time they
expire, a hash of their sizes, and for each id a marker that outlives it, so that an expired id is
distinguished from one that never was. Scripts and transactions keep these consistent. The time is
the server's, so the clocks of the machines that share it need not agree. All keys begin with
`PREFIX`.
"""

from typing import Any

from service.errors import StoreError
from service.store.base import TOMBSTONE_S, Blobs, Bounds, Store, Usage
from service.store.redis_client import RedisServer

PREFIX = "otoscope:1:"
"""The number is the layout's: services of two layouts can share a server."""

_INDEX = f"{PREFIX}expiry"
"""Sorted set: when each id expires, in milliseconds since the epoch."""

_SIZES = f"{PREFIX}sizes"
"""Hash: the bytes of each id, and of all under `total`."""

_PROBE = "probe"
"""No result's id: of what `check` keeps."""

_NO_LIMIT = 2**53

_COMMON = f"""
local function forget(id)
  redis.call('ZREM', '{_INDEX}', id)
  local size = redis.call('HGET', '{_SIZES}', id)
  if size then
    redis.call('HDEL', '{_SIZES}', id)
    redis.call('HINCRBY', '{_SIZES}', 'total', -size)
  end
end
local function drop(id)
  redis.call('DEL', '{PREFIX}result:' .. id)
  forget(id)
end
local function total() return tonumber(redis.call('HGET', '{_SIZES}', 'total') or 0) end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local function sweep()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', '{_INDEX}', '-inf', now_ms)) do drop(id) end
end
"""
_ADMIT = f"""{_COMMON}
local id, size, max_bytes, ttl_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
forget(id)
sweep()
while total() + size > max_bytes do
  local oldest = redis.call('ZRANGE', '{_INDEX}', 0, 0)[1]
  if not oldest then redis.call('DEL', '{_SIZES}') break end
  drop(oldest)
end
redis.call('ZADD', '{_INDEX}', now_ms + ttl_ms, id)
redis.call('HSET', '{_SIZES}', id, size)
redis.call('HINCRBY', '{_SIZES}', 'total', size)
"""
_DROP = f"{_COMMON} drop(ARGV[1])"
_USAGE = f"{_COMMON} sweep() return {{redis.call('ZCARD', '{_INDEX}'), total()}}"


class RedisStore(Store):
    """A `Store` in a Redis server."""

    def __init__(self, server: RedisServer, bounds: Bounds) -> None:
        """Connect to nothing yet: the server may come later, go, and come back."""
        super().__init__(bounds)
        self._server = server

    def close(self) -> None:
        self._server.close()

    def delete(self, result_id: str) -> None:
        with self._server.transaction() as pipeline:
            pipeline.exists(_result(result_id))
            pipeline.exists(_marker(result_id))
            pipeline.eval(_DROP, 0, result_id)
            pipeline.set(_marker(result_id), "", px=round(1000 * TOMBSTONE_S), xx=True)
            found, known, *_ = pipeline.execute()
        if not found:
            raise self._gone(result_id, known=bool(known))

    def usage(self) -> Usage:
        """Counts results that the server evicted until they are asked for, or expire."""
        with self._server.transaction() as pipeline:
            pipeline.eval(_USAGE, 0)
            [(results, size_bytes)] = pipeline.execute()
        return Usage(results, size_bytes)

    def check(self) -> None:
        """Keeps an empty result for a moment, as any other is kept, reads it and drops it."""
        with self._server.transaction() as pipeline:
            pipeline.eval(_ADMIT, 0, _PROBE, 1, _NO_LIMIT, 1000)
            pipeline.hset(_result(_PROBE), "meta", _PROBE)
            pipeline.pexpire(_result(_PROBE), 1000)
            pipeline.hget(_result(_PROBE), "meta")
            pipeline.eval(_DROP, 0, _PROBE)
            *_, kept, _ = pipeline.execute()
        if kept != _PROBE.encode():
            raise StoreError(f"expected what was kept a moment ago, got {kept!r:.80}")

    def _write(self, result_id: str, meta: str, blobs: Blobs, size: int) -> None:
        ttl_ms = round(1000 * self._bounds.ttl_s)
        with self._server.transaction() as pipeline:
            pipeline.eval(_ADMIT, 0, result_id, size, self._bounds.max_bytes, ttl_ms)
            pipeline.hset(_result(result_id), "meta", meta, mapping=blobs)  # type: ignore[arg-type]
            pipeline.pexpire(_result(result_id), ttl_ms)
            pipeline.set(_marker(result_id), "", px=ttl_ms + round(1000 * TOMBSTONE_S))
            pipeline.execute()

    def _fetch(self, result_id: str, fields: tuple[str, ...]) -> tuple[Any, ...]:
        with self._server.transaction() as pipeline:
            pipeline.pttl(_result(result_id))
            pipeline.hmget(_result(result_id), ["meta", *fields])
            pipeline.exists(_marker(result_id))
            left_ms, (meta, *blobs), known = pipeline.execute()
        if meta is None:
            if known:  # it expired, or the server evicted it: its room is given back
                with self._server.transaction() as pipeline:
                    pipeline.eval(_DROP, 0, result_id)
                    pipeline.execute()
            raise self._gone(result_id, known=bool(known))
        return left_ms / 1000, meta, *blobs


def _result(result_id: str) -> str:
    return f"{PREFIX}result:{result_id}"


def _marker(result_id: str) -> str:
    return f"{PREFIX}known:{result_id}"
