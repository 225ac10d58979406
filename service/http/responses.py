"""Answers in one of several formats: how routes write them, and what OpenAPI says of them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Header, Response
from fastapi.concurrency import run_in_threadpool

from otoscope.formats import FORMATS, MATRIX_FORMATS, MatrixFormat
from service.errors import problem_responses
from service.http.caching import cache_headers, is_fresh, strong_etag
from service.http.queries import PartQuery
from service.inference.pool import Pool
from service.store.base import Kept

T = TypeVar("T")

IfNoneMatch = Annotated[
    str | None, Header(description="Tags of answers that the client has: 304 if it is one of them.")
]

WARNINGS_HEADER = "Otoscope-Warnings"
"""What went less than well, a JSON list; absent if there is nothing to say."""

WARNINGS_DESCRIPTION = "`warnings` of the JSON answer, a JSON list in ASCII; absent if empty."

FRAME_HEADERS = {
    "Otoscope-Frame-S": "Seconds between rows.",
    "Otoscope-Start-S": "The centre of the first row, in seconds.",
}
_CACHE_HEADERS = {
    "ETag": "Follows from the result, its model, the query and the format.",
    "Cache-Control": "Private; fresh for as long as the result is kept.",
    "Vary": "Accept",
}


def cached_response(
    kept: Kept,
    key: tuple[str, ...],
    form: MatrixFormat,
    *,
    if_none_match: str | None,
    headers: Mapping[str, str],
    write: Callable[[], bytes],
) -> Response:
    """What was asked of a result, or 304 if the client has it.

    Args:
        kept: the result.
        key: all that the answer follows from beside the format and the model.
        form: the format.
        if_none_match: the header of that name.
        headers: that describe the body.
        write: makes the body.
    """
    etag = strong_etag((*key, kept.model_sha256, form))
    headers = {**cache_headers(etag, kept.left_s), **headers}
    if is_fresh(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(write(), media_type=FORMATS[form].media_type, headers=headers)


def key_of(route: str, result_id: str, query: PartQuery) -> tuple[str, ...]:
    """What an answer follows from beside its format and the model."""
    return route, result_id, query.model_dump_json(exclude={"format", "id"})


def frame_headers(frame_s: float, start_s: float) -> dict[str, str]:
    """When the rows of a matrix were, for formats that can't say it."""
    return {"Otoscope-Frame-S": f"{frame_s:.6g}", "Otoscope-Start-S": f"{start_s:.6f}"}


def warnings_headers(warnings: Sequence[str]) -> dict[str, str]:
    """Of an answer about a file that may have no place for warnings."""
    return {WARNINGS_HEADER: json.dumps(warnings)} if warnings else {}


async def compute(pool: Pool, form: MatrixFormat, work: Callable[[], T]) -> T:
    """Do `work` outside the event loop; pictures take their turn with the recordings.

    Raises:
        QueueFullError: if it is about a picture, and as many wait as may wait.
    """
    return await (pool.run(work) if form == "png" else run_in_threadpool(work))


def format_responses(
    *statuses: int, headers: Mapping[str, str] | None = None, cached: bool = True
) -> dict[int | str, dict[str, Any]]:
    """What a route with formats says in OpenAPI beside its JSON: formats, headers and errors."""
    described = {**FRAME_HEADERS, **(headers or {}), **(_CACHE_HEADERS if cached else {})}
    responses = written_responses(
        *statuses,
        description="The matrix, in the format that was asked for.",
        formats=MATRIX_FORMATS,
        headers=described,
    )
    if cached:
        responses[304] = {"description": "The client has this answer already."}
    return responses


def written_responses(
    *statuses: int, description: str, formats: Iterable[str], headers: Mapping[str, str]
) -> dict[int | str, dict[str, Any]]:
    """What a route says in OpenAPI beside its JSON.

    Args:
        statuses: of its errors.
        description: of its answer.
        formats: that the answer may have; FastAPI describes JSON itself.
        headers: of the answer, and what they say.
    """
    answer = {
        "description": description,
        "content": {
            each.media_type: {
                "schema": {"type": "string", **({"format": "binary"} if each.binary else {})}
            }
            for each in map(FORMATS.__getitem__, formats)
            if each.media_type != "application/json"
        },
        "headers": {
            name: {"description": what, "schema": {"type": "string"}}
            for name, what in headers.items()
        },
    }
    return {200: answer, **problem_responses(*statuses)}
