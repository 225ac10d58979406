"""The store in a Redis server, which any number of services on any number of machines share.

One hash holds a result and expires by itself. Beside it stand an index of all ids by the time they
expire, a hash of their sizes, and for each id a mark that outlives it, so that what has expired is
told from what never was. Scripts and transactions keep these in step, and the time is the server's:
the machines that share it need not agree on theirs. All keys begin with `PREFIX`.
"""

import json
from typing import Any

from redis.typing import FieldT

from otoscope import FeatureMatrix, Posteriors
from service.errors import ExpiredResultError, StoreError, UnknownResultError
from service.store.base import TOMBSTONE_S, Kept, Usage
from service.store.redis_client import RedisServer
from service.store.serialization import pack, read_features, read_posteriors, write_meta

PREFIX = "otoscope:1:"
"""The number is that of the layout: services of two layouts share a server without harm."""

_INDEX = f"{PREFIX}expiry"
"""Sorted set: when each id expires, in milliseconds since the epoch."""

_SIZES = f"{PREFIX}sizes"
"""Hash: the bytes of each id, and of all under `total`."""

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


class RedisStore:
    """A `Store` in a Redis server, with a time to live and a bound on its size."""

    def __init__(self, server: RedisServer, *, ttl_s: float, max_bytes: int) -> None:
        """Connect to nothing yet: the server may come later, go, and come back.

        Args:
            server: that keeps the results.
            ttl_s: seconds that a result can be fetched.
            max_bytes: room for all results; the oldest give way to the new.
        """
        self._server = server
        self._ttl_s = ttl_s
        self._max_bytes = max_bytes

    def close(self) -> None:
        """Let go of the server; what is kept stays there."""
        self._server.close()

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
        blobs: dict[FieldT, bytes | memoryview] = {
            "transcription": transcription,
            "log_probs": pack(posteriors.log_probs),
            "features": pack(features.values),
        }
        if posteriors.phonemes is not None:
            blobs["phoneme_log_probs"] = pack(posteriors.phonemes.log_probs)
        size = sum(len(blob) for blob in blobs.values())
        if size > self._max_bytes:
            raise StoreError(f"expected at most {self._max_bytes} bytes, got {size}")
        ttl_ms = round(1000 * self._ttl_s)
        meta = write_meta(posteriors, features.spec, model_sha256)
        with self._server.transaction() as together:
            together.eval(_ADMIT, 0, result_id, size, self._max_bytes, ttl_ms)
            together.hset(_result(result_id), "meta", meta, mapping=blobs)
            together.pexpire(_result(result_id), ttl_ms)
            together.set(_marker(result_id), "", px=ttl_ms + round(1000 * TOMBSTONE_S))
            together.execute()

    def find(self, result_id: str) -> Kept:
        """See `Store`."""
        left_s, meta = self._fetch(result_id)
        return Kept(meta["model_sha256"], meta["duration_s"], left_s)

    def get(self, result_id: str) -> Posteriors:
        """See `Store`."""
        _, meta, characters, phonemes = self._fetch(result_id, "log_probs", "phoneme_log_probs")
        return read_posteriors(meta, characters, phonemes)

    def features(self, result_id: str) -> FeatureMatrix:
        """See `Store`."""
        _, meta, blob = self._fetch(result_id, "features")
        return read_features(meta, blob)

    def transcription(self, result_id: str) -> bytes:
        """See `Store`."""
        kept: bytes = self._fetch(result_id, "transcription")[2]
        return kept

    def delete(self, result_id: str) -> None:
        """See `Store`."""
        with self._server.transaction() as together:
            together.exists(_result(result_id))
            together.exists(_marker(result_id))
            together.eval(_DROP, 0, result_id)
            together.set(_marker(result_id), "", px=round(1000 * TOMBSTONE_S), xx=True)
            found, known, *_ = together.execute()
        if not found:
            raise self._gone(result_id, known=bool(known))

    def usage(self) -> Usage:
        """See `Store`. What the server evicted is counted until it is asked for, or expires."""
        with self._server.transaction() as together:
            together.eval(_USAGE, 0)
            [(results, size_bytes)] = together.execute()
        return Usage(results, size_bytes)

    def check(self) -> None:
        """See `Store`. Writes, for a server that takes no writes may still answer."""
        with self._server.transaction() as together:
            together.set(f"{PREFIX}writable", "", px=1000)
            together.execute()

    def _fetch(self, result_id: str, *fields: str) -> tuple[Any, ...]:
        """Seconds left, the document of `write_meta`, and the blobs in `fields`."""
        with self._server.transaction() as together:
            together.pttl(_result(result_id))
            together.hmget(_result(result_id), ["meta", *fields])
            together.exists(_marker(result_id))
            left_ms, (meta, *blobs), known = together.execute()
        if meta is None:
            if known:
                self._forget_lost(result_id)
            raise self._gone(result_id, known=bool(known))
        return left_ms / 1000, json.loads(meta), *blobs

    def _forget_lost(self, result_id: str) -> None:
        """Give back the room of a result that expired or that the server evicted."""
        with self._server.transaction() as together:
            together.eval(_DROP, 0, result_id)
            together.execute()

    def _gone(self, result_id: str, *, known: bool) -> ExpiredResultError | UnknownResultError:
        if not known:
            return UnknownResultError(f"expected the id of a transcription, got {result_id}")
        return ExpiredResultError(
            f"{result_id} is no longer kept: results are kept for {self._ttl_s:g} s, "
            f"in {self._max_bytes} bytes, unless they are deleted"
        )


def _result(result_id: str) -> str:
    return f"{PREFIX}result:{result_id}"


def _marker(result_id: str) -> str:
    return f"{PREFIX}known:{result_id}"
