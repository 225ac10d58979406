"""Reading a request: one audio file, and options in its form or query.

A recording may also be the whole body; its options then stand in the query.

FastAPI's own forms would not do: it turns any error while a body arrives into a 400, takes the last
of doubled fields, and knows no option that may stand in the form or in the query.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, Generic, TypeVar
from urllib.parse import unquote_to_bytes

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import UploadFile

from otoscope.strict_json import describe
from service.errors import FormError
from service.http.bodies import FILE_FIELD, RAW_TYPES, content_type, receive_body

_MOST_LINES = 20
"""Of what is wrong with a form; one of a thousand hot words may be wrong a thousand times."""

OptionsT = TypeVar("OptionsT", bound=BaseModel)


class NoOptions(BaseModel):
    """Of a form that holds the file alone."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Form(Generic[OptionsT]):
    """A form that was received.

    Attributes:
        options: its fields beside the file, together with those of the query.
        files: what came in the file field.
        content_type: of the request, without parameters; "none" if it does not say.
    """

    options: OptionsT
    files: list[UploadFile | str]
    content_type: str

    @property
    def file(self) -> BinaryIO:
        """The file, not yet read; FormError unless there is one.

        Starlette keeps it in memory up to 1 MiB, and beyond in a temporary file, so that files that
        wait their turn take no memory.
        """
        if len(self.files) != 1:
            raise FormError(
                f"expected one file in the field {FILE_FIELD!r} of multipart/form-data, or "
                f"alone with Content-Type: {RAW_TYPES[0]}, got {len(self.files)} "
                f"(Content-Type: {self.content_type:.200})",
                FILE_FIELD,
            )
        if not isinstance(self.files[0], UploadFile):
            raise FormError(
                f"{FILE_FIELD}: expected a file, got text (its part needs a filename)", FILE_FIELD
            )
        return self.files[0].file


def _as_it_is(name: str, value: object) -> Iterable[tuple[str, object]]:
    return ((name, value),)


@asynccontextmanager
async def read_form(
    request: Request,
    model: type[OptionsT],
    *,
    repeated: Collection[str] = (),
    rewrite: Callable[[str, object], Iterable[tuple[str, object]]] = _as_it_is,
) -> AsyncIterator[Form[OptionsT]]:
    """Receive the form of `request`; its file is closed in the end.

    Args:
        request: multipart/form-data or a recording, of which nothing has been read.
        model: the fields there may be beside the file, in the form or the query; with `NoOptions`
            the query is left to others.
        repeated: as of `read_options`.
        rewrite: name and value of each field -> those that are meant, none or several.

    Raises:
        FormError: naming the field that is unknown, missing, doubled or wrong.
        UploadTooLargeError, UploadStalledError: as `BodyLimitMiddleware` says.
        UploadsFullError: if there is no room for the file.
    """
    async with receive_body(request) as received:
        fields = [each for each in received.multi_items() if each[0] != FILE_FIELD]
        if model is not NoOptions:
            fields = [*query_fields(request), *fields]
        meant = chain.from_iterable(rewrite(name, value) for name, value in fields)
        options = read_options(meant, model, repeated=repeated, beside=(FILE_FIELD,))
        yield Form(options, received.getlist(FILE_FIELD), content_type(request))


def query_fields(request: Request) -> list[tuple[str, str]]:
    """Names and values of the query; FormError if they are not in UTF-8."""
    try:
        unquote_to_bytes(request.scope["query_string"]).decode()
    except UnicodeDecodeError as error:
        got = f"0x{error.object[error.start]:02x}"
        raise FormError(f"expected a query of text in UTF-8, got {got}") from None
    return request.query_params.multi_items()


def read_options(
    fields: Iterable[tuple[str, object]],
    model: type[OptionsT],
    *,
    repeated: Collection[str] = (),
    beside: Collection[str] = (),
) -> OptionsT:
    """Fields of a form or a query as options.

    Args:
        fields: names and values.
        model: the fields there may be.
        repeated: fields that may come several times, with "[]" behind their names or without.
        beside: fields that the caller reads itself, for the error's message.

    Raises:
        FormError: naming the field that is unknown, missing, doubled or wrong.
    """
    values: dict[str, Any] = {}
    known = model.model_fields
    for name, value in fields:
        plain = name.removesuffix("[]") if repeated else name
        if plain not in known:
            raise FormError(_unknown(name, [*beside, *known]), name[:200])
        if plain in repeated:
            values.setdefault(plain, []).append(value)
        elif plain in values:
            raise FormError(f"{plain}: expected one value, got two", plain)
        else:
            values[plain] = value
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = error.errors()
        wrong = str(problems[0]["loc"][0])
        raise FormError("; ".join(describe(problems[:_MOST_LINES])), wrong) from None


def _unknown(name: str, known: list[str]) -> str:
    if known == [FILE_FIELD]:
        return f"expected the field {FILE_FIELD} alone, got {name!r:.200}: options go in the query"
    return f"expected the fields {', '.join(known)}, got {name!r:.200}"


def form_schema(model: type[BaseModel], *, repeated: Collection[str] = ()) -> dict[str, Any]:
    """The form that `read_form` reads, for OpenAPI."""
    schema = model.model_json_schema()
    schema["required"] = [FILE_FIELD, *schema.get("required", ())]
    fields = {
        f"{name}[]" if name in repeated else name: field
        for name, field in schema["properties"].items()
    }
    file = {"type": "string", "format": "binary", "description": "The recording."}
    schema["properties"] = {FILE_FIELD: file, **fields}
    if model is NoOptions:
        del schema["title"], schema["description"]
    raw = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in RAW_TYPES}
    content = {"multipart/form-data": {"schema": schema}, **raw}
    return {"requestBody": {"required": True, "content": content}}


def query_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The query that `read_options` reads, for OpenAPI."""
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": field}
            for name, field in model.model_json_schema()["properties"].items()
        ]
    }
