"""What is kept of a recording for a while, to be fetched; never the audio itself.

`service.store.sqlite` keeps it for the processes of one machine, `service.store.redis` for those of
many.
"""

import uuid
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from otoscope import FeatureMatrix, Posteriors

ID_PATTERN = r"^[0-9a-f]{32}$"
"""Ids are 122 random bits in hexadecimal: to know one is to be allowed to read it."""

TOMBSTONE_S = 7 * 86400.0
"""How long an expired id is still told from one that never was."""


@dataclass(frozen=True)
class Kept:
    """What is known of a result without reading its matrices.

    Attributes:
        model_sha256: of the model file that gave it, hexadecimal.
        duration_s: length of the recording.
        left_s: seconds until it expires.
    """

    model_sha256: str
    duration_s: float
    left_s: float


class Usage(NamedTuple):
    """What a store holds.

    Attributes:
        results: how many can be fetched.
        size_bytes: what they take.
    """

    results: int
    size_bytes: int


class Store(Protocol):
    """What the routes need of a store."""

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

        Args:
            result_id: the id.
            posteriors: of the recording.
            features: the X that they were computed from.
            model_sha256: of the model that gave them.
            transcription: JSON in UTF-8, given back as it is.

        Raises:
            StoreError: if they can't be kept.
        """

    def find(self, result_id: str) -> Kept:
        """What is known of the result; raises as `get` does."""

    def get(self, result_id: str) -> Posteriors:
        """The posteriors that `put` kept.

        Raises:
            UnknownResultError, ExpiredResultError: if there is nothing, and why.
            StoreError: if the store fails.
        """

    def features(self, result_id: str) -> FeatureMatrix:
        """The X that `put` kept; raises as `get` does."""

    def transcription(self, result_id: str) -> bytes:
        """The transcription that `put` kept; raises as `get` does."""

    def delete(self, result_id: str) -> None:
        """Forget all that `put` kept but the id; raises as `get` does."""

    def usage(self) -> Usage:
        """What there is at the moment.

        Raises:
            StoreError: if the store fails.
        """

    def check(self) -> None:
        """See whether the store works.

        Raises:
            StoreError: if not, and why.
        """

    def close(self) -> None:
        """Let go of it; what is kept stays there."""


def new_id() -> str:
    """An id that nobody can guess."""
    return uuid.uuid4().hex
