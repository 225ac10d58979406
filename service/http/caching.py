"""Responses that a client may keep: validators and lifetimes (RFC 9110 and 9111).

What a result id gives never changes while the result is kept, so a response follows from the id,
the model that gave the result, the query and the format.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from fastapi import Header, Response

from otoscope.formats import MatrixFormat
from service.http.queries import FeaturesQuery, ProbsQuery

IfNoneMatch = Annotated[
    str | None, Header(description="Tags of answers that the client has: 304 if it is one of them.")
]

_VERSION = "1"
"""To be raised when what the same query gives looks different, as after a change of a picture."""


def strong_etag(parts: Sequence[str]) -> str:
    """An entity tag for all that a response follows from."""
    digest = hashlib.sha256("\0".join((_VERSION, *parts)).encode())
    return f'"{digest.hexdigest()[:32]}"'


def result_etag(
    route: str, query: ProbsQuery | FeaturesQuery, model_sha256: str, chosen: MatrixFormat
) -> str:
    """The entity tag of what a route gives of a result in a format."""
    asked = query.model_dump_json(exclude={"format", "id"})
    return strong_etag((route, query.id, asked, model_sha256, chosen))


def is_fresh(etag: str, if_none_match: str | None) -> bool:
    """Whether the client has the response of that tag already (RFC 9110, section 13.1.2)."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return tags == ["*"] or etag in tags


def result_headers(expires_in_s: float) -> dict[str, str]:
    """Of a response that this client alone may keep, for as long as the result is kept."""
    return {"Cache-Control": f"private, max-age={int(expires_in_s)}", "Vary": "Accept"}


def conditional_response(
    etag: str,
    if_none_match: str | None,
    render: Callable[[], bytes],
    media_type: str,
    headers: Mapping[str, str],
) -> Response:
    """What `render` makes, or 304 if the client has it."""
    headers = {**headers, "ETag": etag}
    if is_fresh(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(render(), media_type=media_type, headers=headers)
