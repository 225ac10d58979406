"""Answers that a client may keep: validators and lifetimes (RFC 9110 and 9111).

What a result id gives never changes while the result is kept, so an answer follows from the id, the
model that gave the result, the query and the format.
"""

import hashlib
from collections.abc import Sequence

_EDITION = "1"
"""To be raised when what the same query gives looks different, as after a change of a picture."""


def strong_etag(parts: Sequence[str]) -> str:
    """An entity tag for all that an answer follows from."""
    digest = hashlib.sha256("\0".join((_EDITION, *parts)).encode())
    return f'"{digest.hexdigest()[:32]}"'


def is_fresh(etag: str, if_none_match: str | None) -> bool:
    """Whether the client has the answer of that tag already (RFC 9110, section 13.1.2)."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return tags == ["*"] or etag in tags


def cache_headers(etag: str, left_s: float) -> dict[str, str]:
    """Headers of an answer that this client alone may keep, for as long as the result is kept."""
    return {
        "ETag": etag,
        "Cache-Control": f"private, max-age={int(left_s)}",
        "Vary": "Accept",
    }
