"""Which of several formats an answer takes: what the query says, or else what Accept prefers."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from service.errors import NotAcceptableError

Format = Literal["json", "csv", "npy", "png"]
"""How a matrix can be written, in the order of preference where a client has none."""

MEDIA_TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "npy": "application/x-npy",
    "png": "image/png",
}
"""NumPy's format has no registered media type."""

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def negotiate(chosen: Format | None, accept: Sequence[str]) -> Format:
    """The format of an answer (RFC 9110, section 12.5.1).

    Args:
        chosen: what the query asks for; it wins over `accept`.
        accept: values of the Accept headers; none, or empty ones, take anything.

    Raises:
        NotAcceptableError: listing what is offered, if `accept` allows none of it.
    """
    if chosen is not None:
        return chosen
    value = ",".join(accept)
    if not value.strip(", \t"):
        return "json"
    ranges = _ranges(value)
    best = max(MEDIA_TYPES, key=lambda each: _quality(MEDIA_TYPES[each], ranges))
    if _quality(MEDIA_TYPES[best], ranges) == 0:
        raise NotAcceptableError(
            f"expected an Accept header that allows {', '.join(MEDIA_TYPES.values())}, or "
            f"format={'|'.join(MEDIA_TYPES)} in the query, got Accept: {value:.200}"
        )
    return best


def _ranges(value: str) -> dict[str, float]:
    """Media ranges in lower case and their qualities; malformed ones are passed over.

    Parameters other than q say nothing here: each format has one form only.
    """
    ranges: dict[str, float] = {}
    for element in value.lower().split(","):
        media_range, *parameters = (part.strip() for part in element.split(";"))
        qualities = [part[2:] for part in parameters if part.startswith("q=")] or ["1"]
        if _QUALITY.fullmatch(qualities[0]):
            ranges[media_range] = max(float(qualities[0]), ranges.get(media_range, 0.0))
    return ranges


def _quality(media_type: str, ranges: Mapping[str, float]) -> float:
    """What the most specific range that covers `media_type` says of it."""
    family = media_type.partition("/")[0]
    for media_range in (media_type, f"{family}/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return 0.0
