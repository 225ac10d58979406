"""Responses in one of several formats: how routes write them, and what OpenAPI says of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Response

from otoscope import FrameClock
from otoscope.decoding.decoder import DecodeResult
from otoscope.formats import FORMATS, MATRIX_FORMATS, write
from otoscope.formats.tables import to_json
from otoscope.schemas import ModelName, Transcription
from otoscope.schemas.convert import transcript_answer
from otoscope.written.writer import Written
from service.http.negotiation import EVENT_STREAM
from service.http.options import Layout
from service.http.problems import problem_responses

ID_HEADER = "Otoscope-Transcription-ID"
"""The transcription's id, for formats that have no place for it."""

WARNINGS_HEADER = "Otoscope-Warnings"
"""Problems that did not prevent the response, a JSON list; absent if there are none."""

WARNINGS_DESCRIBED = {
    WARNINGS_HEADER: "`warnings` of the JSON answer, a JSON list in ASCII; absent if empty."
}

FRAME_HEADERS = {
    "Otoscope-Frame-S": "Seconds between rows.",
    "Otoscope-Start-S": "The centre of the first row, in seconds.",
}
_CACHE_HEADERS = {
    "ETag": "Follows from the result, its model, the query and the format.",
    "Cache-Control": "Private; fresh for as long as the result is kept.",
    "Vary": "Accept",
}


def transcription(
    result_id: str,
    decoded: DecodeResult,
    written: Written,
    clock: FrameClock,
    model: ModelName,
    *,
    warnings: Sequence[str],
    layout: Layout,
) -> Transcription:
    """What was said in a recording that has an id.

    Args:
        result_id: its id.
        decoded: what was said.
        written: the same as it is shown.
        clock: of the recording's posteriors.
        model: that recognized it.
        warnings: what there was to say about the recording.
        layout: with timestamps char words have characters, and verbose_json divides the text into
            subtitles, too.
    """
    characters, segments = layout.timestamps == "char", layout.response_format == "verbose_json"
    told = list(dict.fromkeys((*warnings, *written.warnings)))
    answer = transcript_answer(
        decoded, written, clock, model, told, characters=characters, segments=segments
    )
    return Transcription(id=result_id, **dict(answer))


def laid_out(answer: Transcription, layout: Layout) -> dict[str, Any]:
    """Its fields, without those that were not asked for, and without `probs`.

    With timestamps none there are no words and tokens, with word they have no characters.
    """
    left_out: dict[str, Any] = {"probs": True}
    optional = ("segments", "channels", "tracks")
    left_out |= {name: True for name in optional if getattr(answer, name) is None}
    document = answer.model_dump(exclude=left_out)
    for one in (document, *document.get("channels", ()), *document.get("tracks", ())):
        if layout.timestamps == "none":
            one["words"] = one["written_tokens"] = []
        elif layout.timestamps == "word":
            for word in one["words"]:
                del word["characters"]
    return document


def transcription_response(
    document: dict[str, Any],
    written: Written,
    clock: FrameClock,
    layout: Layout,
) -> Response:
    """A transcription in the format that was asked for.

    Args:
        document: the fields of `Transcription`; its id and warnings stand in headers, too.
        written: what was said.
        clock: of the recording's posteriors.
        layout: with timestamps char, a TextGrid has a tier of characters.
    """
    chosen, heard = layout.response_format, written.heard
    if FORMATS[chosen].is_json:
        body = to_json(document)
    else:
        characters = heard.characters if layout.timestamps == "char" else None
        body = write(chosen, heard.words, characters, clock.duration_s, written.words)
    headers = {} if document["id"] is None else {ID_HEADER: document["id"]}
    headers |= warnings_headers(document["warnings"])
    return Response(body, media_type=FORMATS[chosen].media_type, headers=headers)


def json_response(document: dict[str, Any]) -> Response:
    """A transcription that is JSON and has no id; its warnings stand in a header, too."""
    headers = warnings_headers(document["warnings"])
    return Response(to_json(document), media_type="application/json", headers=headers)


def frame_headers(frame_s: float, start_s: float) -> dict[str, str]:
    """When the rows of a matrix were, for formats that can't say it."""
    return {"Otoscope-Frame-S": f"{frame_s:.6g}", "Otoscope-Start-S": f"{start_s:.6f}"}


def warnings_headers(warnings: Sequence[str]) -> dict[str, str]:
    """Of a response about a file that may have no place for warnings."""
    return {WARNINGS_HEADER: json.dumps(warnings)} if warnings else {}


def matrix_responses(
    *statuses: int, headers: Mapping[str, str] | None = None, cached: bool = True
) -> dict[int | str, dict[str, Any]]:
    """What a route that gives a matrix says in OpenAPI beside its JSON."""
    described = {**FRAME_HEADERS, **(headers or {}), **(_CACHE_HEADERS if cached else {})}
    responses = format_responses(
        *statuses,
        description="The matrix, in the format that was asked for.",
        formats=MATRIX_FORMATS,
        headers=described,
    )
    if cached:
        responses[304] = {"description": "The client has this answer already."}
    return responses


def format_responses(
    *statuses: int,
    description: str,
    formats: Iterable[str],
    headers: Mapping[str, str],
    events: bool = False,
) -> dict[int | str, dict[str, Any]]:
    """What a route with several formats says in OpenAPI beside its JSON.

    Args:
        statuses: of its errors.
        description: of its response.
        formats: that the response may have; FastAPI describes JSON itself.
        headers: of the response, and what they say.
        events: whether it may come in server-sent events.
    """
    response = {
        "description": description,
        "content": {
            each.media_type: {
                "schema": {"type": "string", **({"format": "binary"} if each.binary else {})}
            }
            for each in map(FORMATS.__getitem__, formats)
            if not each.is_json
        }
        | ({EVENT_STREAM: {"schema": {"type": "string"}}} if events else {}),
        "headers": {
            name: {"description": what, "schema": {"type": "string"}}
            for name, what in headers.items()
        },
    }
    return {200: response, **problem_responses(*statuses)}
