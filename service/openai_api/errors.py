"""Errors in the form that OpenAI's clients read: {"error": {"message", "type", "param", "code"}}.

https://platform.openai.com/docs/guides/error-codes
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import Field

from otoscope.schemas import Answer, Problem

PREFIX = "/v1/"
"""What lies below it responds as OpenAI does."""

_STATUSES = {415: 400, 422: 400}
"""OpenAI answers 400 to requests that are well-formed HTTP and yet not as expected."""

_CODES = {"unauthorized": "invalid_api_key", "model-unknown": "model_not_found"}
"""Kinds of problems that OpenAI has a code for; the others go by their own names."""


class Error(Answer):
    """What went wrong."""

    message: str = Field(
        description="What was expected and what came.",
        examples=["expected the model english, got whisper-1"],
    )
    type: str = Field(examples=["invalid_request_error"])
    param: str | None = Field(description="The field that is wrong, if it is one.")
    code: str | None = Field(examples=["model_not_found"])


def render(problem: Problem, headers: Mapping[str, str], param: str | None) -> JSONResponse:
    """A `service.http.problems.Render`: the problem in OpenAI's form and with its status."""
    status = _STATUSES.get(problem.status, problem.status)
    return JSONResponse({"error": error_of(problem, param).model_dump()}, status, headers)


def error_of(problem: Problem, param: str | None) -> Error:
    """The problem in OpenAI's form."""
    slug = problem.type.rpartition(":problem:")[2]
    known = slug != problem.type
    return Error(
        message=problem.detail,
        type="invalid_request_error" if problem.status < 500 else "server_error",  # noqa: PLR2004
        param="file" if slug.startswith("audio") else param,
        code=_CODES.get(slug, slug.replace("-", "_")) if known else None,
    )


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says in OpenAPI about its errors."""
    schema = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": Error.model_json_schema()},
    }
    content = {"application/json": {"schema": schema}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }
