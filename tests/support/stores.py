"""Stores of both kinds for the tests of what every store does, and time that passes for them."""

from dataclasses import replace

import numpy as np
import redis

from otoscope import ARPABET, FeatureMatrix, FeatureSpec, PhonemePosteriors
from service.store.base import Bounds, new_id
from service.store.redis import _INDEX, PREFIX, RedisStore
from service.store.redis_client import RedisServer
from service.store.sqlite import SqliteStore

TTL_S = 100.0
SMALL = FeatureMatrix(np.zeros((1, 80), dtype=np.float32), FeatureSpec())


class SqliteStores:
    """Stores in one file, whose clock stands still between two calls of `advance`."""

    def __init__(self, path):
        self.path = path
        self.now_s = 1000.0
        self.variables = {"OTOSCOPE_STORE_PATH": str(path)}

    def open(self, max_bytes=2**20, max_result_bytes=None):
        bounds = Bounds(TTL_S, max_bytes, max_result_bytes)
        return SqliteStore(self.path, bounds, clock=lambda: self.now_s)

    def advance(self, seconds):
        self.now_s += seconds


class RedisStores:
    """Stores in one server, emptied first."""

    def __init__(self, url):
        self.variables = {"OTOSCOPE_STORE": url}
        self.client = redis.Redis.from_url(url)
        self.client.flushall()

    def open(self, max_bytes=2**20, max_result_bytes=None):
        server = RedisServer(self.variables["OTOSCOPE_STORE"])
        return RedisStore(server, Bounds(TTL_S, max_bytes, max_result_bytes))

    def advance(self, seconds):
        """Bring all that the server will do in so many seconds nearer by as much."""
        for key in self.client.scan_iter(f"{PREFIX}*"):
            if (left_ms := self.client.pttl(key)) >= 0:
                self.client.pexpire(key, left_ms - round(1000 * seconds))
        for result_id in self.client.zrange(_INDEX, 0, -1):
            self.client.zincrby(_INDEX, -1000 * seconds, result_id)


def put(store, posteriors, features=SMALL, transcription=b"{}"):
    """Keep a result; its id."""
    result_id = new_id()
    store.put(result_id, posteriors, features, "sha", transcription=transcription)
    return result_id


def with_phonemes(posteriors, phonemes=ARPABET):
    """The same posteriors, with some of phonemes beside those of characters."""
    frames = posteriors.log_probs.shape[0]
    scores = np.random.default_rng(7).standard_normal((frames, phonemes.size))
    return replace(posteriors, phonemes=PhonemePosteriors(scores.astype(np.float32), phonemes))
