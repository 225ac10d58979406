"""Results of recordings, kept for a while to be fetched; never the audio itself.

`service.store.sqlite` serves the processes of one machine, `service.store.redis` those of many.
"""

import json
import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from otoscope import FeatureMatrix, Posteriors
from service.errors import ExpiredResultError, ResultTooLargeError, UnknownResultError
from service.store.serialization import pack, read_features, read_posteriors, write_meta

ID_PATTERN = r"^[0-9a-f]{32}$"
"""Ids are 122 random bits in hexadecimal: to know one is to be allowed its result."""

TOMBSTONE_S = 7 * 86400.0
"""How long an expired id is still distinguished from one that never was."""

logger = logging.getLogger(__name__)

Blobs = Mapping[str, bytes | memoryview]
"""`transcription`, `log_probs`, `features` and, with a phoneme head, `phoneme_log_probs`."""


@dataclass(frozen=True)
class StoredResult:
    """What is known of a result without reading its matrices.

    Attributes:
        model_sha256: of the model file that gave it, hexadecimal.
        duration_s: length of the recording.
        expires_in_s: seconds that it can still be fetched.
    """

    model_sha256: str
    duration_s: float
    expires_in_s: float


class Usage(NamedTuple):
    """What a store holds.

    Attributes:
        results: how many can be fetched.
        size_bytes: what they take.
    """

    results: int
    size_bytes: int


@dataclass(frozen=True)
class Bounds:
    """Limits of a store.

    Attributes:
        ttl_s: seconds that a result is stored.
        max_bytes: of all results; the oldest are deleted for new ones.
        max_result_bytes: of one result; None if it may take `max_bytes`.
    """

    ttl_s: float
    max_bytes: int
    max_result_bytes: int | None = None

    @property
    def of_one_bytes(self) -> int:
        """Limit of one result."""
        return min(self.max_bytes, self.max_result_bytes or self.max_bytes)


class Store(ABC):
    """Results with a time to live and a bound on their size. Safe to call from several threads."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    def put(
        self,
        result_id: str,
        posteriors: Posteriors,
        features: FeatureMatrix,
        model_sha256: str,
        *,
        transcription: bytes,
    ) -> None:
        """Keep a result under an id from `new_id`; once this returns, it is kept.

        What has expired and what there is no more room for is removed first.

        Args:
            result_id: the id.
            posteriors: of the recording.
            features: that the posteriors were computed from.
            model_sha256: of the model that gave them.
            transcription: JSON in UTF-8, given back as it is.

        Raises:
            ResultTooLargeError: if it takes more room than one may; the others stay.
            StoreError: if it can't be kept.
        """
        blobs: dict[str, bytes | memoryview] = {
            "transcription": transcription,
            "log_probs": pack(posteriors.log_probs),
            "features": pack(features.values),
        }
        if posteriors.phonemes is not None:
            blobs["phoneme_log_probs"] = pack(posteriors.phonemes.log_probs)
        size = sum(map(len, blobs.values()))
        if size > self._bounds.of_one_bytes:
            raise ResultTooLargeError(size, self._bounds.of_one_bytes)
        self._write(result_id, write_meta(posteriors, features.spec, model_sha256), blobs, size)

    def find(self, result_id: str) -> StoredResult:
        """What is known of the result; raises as `get` does."""
        with self._readable(result_id):
            expires_in_s, meta = self._read(result_id)
            return StoredResult(str(meta["model_sha256"]), float(meta["duration_s"]), expires_in_s)

    def get(self, result_id: str) -> Posteriors:
        """The posteriors that `put` kept.

        Raises:
            UnknownResultError, ExpiredResultError: if there is nothing, or nothing that can be
                read, and why.
            StoreError: if the store fails.
        """
        with self._readable(result_id):
            _, meta, characters, phonemes = self._read(result_id, "log_probs", "phoneme_log_probs")
            return read_posteriors(meta, characters, phonemes)

    def features(self, result_id: str) -> FeatureMatrix:
        """The features that `put` kept; raises as `get` does."""
        with self._readable(result_id):
            _, meta, blob = self._read(result_id, "features")
            return read_features(meta, blob)

    def transcription(self, result_id: str) -> bytes:
        """The transcription that `put` kept; raises as `get` does."""
        with self._readable(result_id):
            return bytes(self._read(result_id, "transcription")[2])

    def warnings(self, result_id: str) -> list[str]:
        """Those in the transcription that `put` kept; raises as `get` does."""
        with self._readable(result_id):
            return [str(each) for each in json.loads(self.transcription(result_id))["warnings"]]

    @abstractmethod
    def delete(self, result_id: str) -> None:
        """Delete all that `put` kept but the id; raises as `get` does."""

    @abstractmethod
    def usage(self) -> Usage:
        """What it holds now.

        Raises:
            StoreError: if the store fails.
        """

    @abstractmethod
    def check(self) -> None:
        """Check that the store keeps something and gives it back.

        Raises:
            StoreError: if not, and why.
        """

    @abstractmethod
    def close(self) -> None:
        """Release files and connections; results stay."""

    @abstractmethod
    def _write(self, result_id: str, meta: str, blobs: Blobs, size: int) -> None:
        """Keep the document of `write_meta` and the blobs, `size` bytes; StoreError if it can't."""

    @abstractmethod
    def _fetch(self, result_id: str, fields: tuple[str, ...]) -> tuple[Any, ...]:
        """Seconds left, the document of `write_meta`, and the blobs in `fields`.

        Raises:
            UnknownResultError, ExpiredResultError: made by `_gone`.
            StoreError: if the store fails.
        """

    def _read(self, result_id: str, *fields: str) -> tuple[Any, ...]:
        """`_fetch`, with the document read."""
        expires_in_s, meta, *blobs = self._fetch(result_id, fields)
        return expires_in_s, json.loads(meta), *blobs

    @contextmanager
    def _readable(self, result_id: str) -> Iterator[None]:
        """Damage of what is kept, to which nobody can come back, becomes ExpiredResultError."""
        try:
            yield
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("a result that is kept can't be read: %s", type(error).__name__)
            raise ExpiredResultError(
                f"{result_id} can't be read any more: what is kept of it is damaged"
            ) from None

    def _gone(self, result_id: str, *, known: bool) -> ExpiredResultError | UnknownResultError:
        """Why there is no such result: `known` if there was one."""
        if not known:
            return UnknownResultError(f"expected the id of a transcription, got {result_id}")
        return ExpiredResultError(
            f"{result_id} is no longer kept: results are kept for {self._bounds.ttl_s:g} s, "
            f"in {self._bounds.max_bytes} bytes, unless they are deleted"
        )


def new_id() -> str:
    """A new id, which can't be guessed."""
    return uuid.uuid4().hex
