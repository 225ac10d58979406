"""Bounds on the size of pictures."""

from otoscope.clock import SpanS
from otoscope.formats.posteriors import View
from service.errors import QueryError

MAX_PICTURE_S = 60.0
MAX_PICTURE_SYMBOLS = 100

_A_PART = "choose a part with from_s and to_s"


def check_span(span_s: SpanS, remedy: str = _A_PART) -> None:
    """QueryError, which suggests a `remedy`, if this is too long for one picture."""
    duration_s = span_s[1] - span_s[0]
    if duration_s > MAX_PICTURE_S:
        raise QueryError(
            f"expected at most {MAX_PICTURE_S:g} s in a picture, got {duration_s:g} s: {remedy}"
        )


def check_view(view: View, remedy: str | None = None) -> None:
    """QueryError if this is too much for one picture; by default it suggests to ask for a part."""
    check_span(view.span_s, remedy or _A_PART)
    if len(view.columns) > MAX_PICTURE_SYMBOLS:
        raise QueryError(
            f"expected at most {MAX_PICTURE_SYMBOLS} symbols in a picture, "
            f"got {len(view.columns)}: {remedy or 'choose some with symbols'}"
        )
