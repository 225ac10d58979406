"""The format of a response: what the request names, or else what its Accept header prefers."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from otoscope.formats import FORMATS
from service.errors import NotAcceptableError

FormatT = TypeVar("FormatT", bound=str)

EVENT_STREAM = "text/event-stream"

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def negotiate(
    chosen: FormatT | None,
    accept: Sequence[str],
    offered: Sequence[FormatT],
    field: str,
    others: Sequence[str] = (),
) -> FormatT:
    """The format of a response (RFC 9110, section 12.5.1).

    Args:
        chosen: what the request asks for by name; it wins over `accept`.
        accept: values of the Accept headers; none, or empty ones, take anything.
        offered: the formats, in the order of preference where a client has none.
        field: of the request, that names the format.
        others: media types that Accept may choose besides, for the error's message.

    Raises:
        NotAcceptableError: listing what is offered, if `accept` allows none of it.
    """
    if chosen is not None:
        return chosen
    value = ",".join(accept)
    if not value.strip(", \t"):
        return offered[0]
    ranges = _ranges(value)
    qualities = {each: _quality(FORMATS[each].media_type, ranges) for each in offered}
    best = max(offered, key=qualities.__getitem__)
    if qualities[best] == 0:
        media_types = dict.fromkeys(FORMATS[each].media_type for each in offered)
        raise NotAcceptableError(
            f"expected an Accept header that allows {', '.join([*media_types, *others])}, "
            f"or {field}={'|'.join(offered)}, got Accept: {value:.200}"
        )
    return best


def prefers_events(accept: Sequence[str], offered: Sequence[FormatT]) -> bool:
    """Whether Accept headers name server-sent events, and none of the formats above them."""
    ranges = _ranges(",".join(accept))
    quality = ranges.get(EVENT_STREAM, 0.0)
    best = max(_quality(FORMATS[each].media_type, ranges) for each in offered)
    return 0 < quality >= best


def _ranges(value: str) -> dict[str, float]:
    """Media ranges in lower case and their qualities; malformed ones are ignored.

    Parameters other than q are ignored: no format has variants.
    """
    ranges: dict[str, float] = {}
    for element in value.lower().split(","):
        media_range, *parameters = (part.strip() for part in element.split(";"))
        qualities = [part[2:] for part in parameters if part.startswith("q=")] or ["1"]
        if _QUALITY.fullmatch(qualities[0]):
            ranges[media_range] = max(float(qualities[0]), ranges.get(media_range, 0.0))
    return ranges


def _quality(media_type: str, ranges: Mapping[str, float]) -> float:
    """That of the most specific range that covers `media_type`."""
    family = media_type.partition("/")[0]
    for media_range in (media_type, f"{family}/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return 0.0
