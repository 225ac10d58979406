"""Reading a request: a bound on its bytes, and one audio file with options in a form."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import UploadFile
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import FormError, UploadStalledError, UploadTooLargeError, describe

FILE_FIELD = "file"
MAX_PARTS = 32


class FormOptions(BaseModel):
    """Base of what a caller may say beside the file, as form or query fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


OptionsT = TypeVar("OptionsT", bound=FormOptions)


@dataclass(frozen=True)
class Upload(Generic[OptionsT]):
    """One file, not yet read, and what is wanted of it.

    Attributes:
        file: Starlette keeps it in memory up to 1 MiB, and beyond in a temporary file, so that
            files that wait their turn take no memory.
    """

    file: BinaryIO
    options: OptionsT


def form_schema(options_class: type[FormOptions]) -> dict[str, Any]:
    """The form that `read_upload` reads, for OpenAPI."""
    schema = options_class.model_json_schema()
    file = {"type": "string", "format": "binary", "description": "The recording."}
    schema["properties"] = {FILE_FIELD: file, **schema.get("properties", {})}
    schema["required"] = [FILE_FIELD, *schema.get("required", [])]
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


def query_schema(options_class: type[FormOptions]) -> dict[str, Any]:
    """The query that `read_options` reads, for OpenAPI."""
    fields = options_class.model_json_schema().get("properties", {})
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": field}
            for name, field in fields.items()
        ]
    }


FILE_FORM = form_schema(FormOptions)
"""A form of one file alone in OpenAPI; `read_file` reads it."""


@asynccontextmanager
async def read_file(request: Request) -> AsyncIterator[BinaryIO]:
    """Receive a form of one file alone, and not yet read that; the file is closed in the end.

    Raises:
        FormError, UploadTooLargeError, UploadStalledError: as `read_upload` does.
    """
    async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS) as form:
        fields = form.multi_items()
        for name, _ in fields:
            if name != FILE_FIELD:
                raise FormError(
                    f"expected the field {FILE_FIELD} alone, got {name!r}: options go in the query"
                )
        yield one_file([value for _, value in fields], content_type(request))


@asynccontextmanager
async def read_upload(
    request: Request, options_class: type[OptionsT]
) -> AsyncIterator[Upload[OptionsT]]:
    """Receive the form of `request`; its file is closed in the end.

    Args:
        request: multipart/form-data, of which nothing has been read.
        options_class: the fields that the form may have beside the file.

    Raises:
        FormError: naming the field that is unknown, missing, doubled or wrong.
        UploadTooLargeError: as soon as there are more bytes than `BodyLimit` allows.
        UploadStalledError: if they stop coming for longer than it allows.
    """
    async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS) as form:
        fields = form.multi_items()
        options = read_options(
            options_class,
            [*request.query_params.multi_items(), *(f for f in fields if f[0] != FILE_FIELD)],
            (FILE_FIELD,),
        )
        files = [value for name, value in fields if name == FILE_FIELD]
        yield Upload(one_file(files, content_type(request)), options)


def content_type(request: Request) -> str:
    """Of a request's body, without parameters; "none" if it does not say."""
    return request.headers.get("content-type", "none").partition(";")[0]


def read_options(
    options_class: type[OptionsT], fields: Iterable[tuple[str, object]], beside: Sequence[str] = ()
) -> OptionsT:
    """Fields of a form or a query as options.

    Args:
        options_class: the fields there may be.
        fields: names and values.
        beside: fields that the caller reads itself, for the error's message.

    Raises:
        FormError: naming the field that is unknown, missing, doubled or wrong.
    """
    known = options_class.model_fields
    values: dict[str, object] = {}
    for name, value in fields:
        if name not in known:
            raise FormError(f"expected the fields {', '.join((*beside, *known))}, got {name!r}")
        if name in values:
            raise FormError(f"{name}: expected one value, got two")
        values[name] = value
    try:
        return options_class.model_validate(values)
    except ValidationError as error:
        raise FormError("; ".join(describe(error.errors()))) from None


def one_file(values: list[UploadFile | str], content_type: str) -> BinaryIO:
    """The file among the `values` of the file field; FormError unless it is one file."""
    if len(values) != 1:
        raise FormError(
            f"expected one file in the field {FILE_FIELD!r} of multipart/form-data, "
            f"got {len(values)} (Content-Type: {content_type})",
            FILE_FIELD,
        )
    if not isinstance(values[0], UploadFile):
        raise FormError(
            f"{FILE_FIELD}: expected a file, got text (its part needs a filename)", FILE_FIELD
        )
    return values[0].file


class BodyLimit:
    """ASGI middleware that counts a request's body as it arrives and stops at a limit.

    It raises UploadTooLargeError in whoever reads the body, with or without a Content-Length, and
    UploadStalledError if a client stops sending before its request is whole.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_pause_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_pause_s = max_pause_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request with a `receive` that counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received, whole = 0, False
        announced = dict(scope["headers"]).get(b"content-length", b"")

        async def checked_receive() -> Message:
            nonlocal received, whole
            if whole:
                return await receive()  # waits until the client leaves, which may take its time
            if announced.isdigit():
                self._check(int(announced))
            message = await self._receive_soon(receive)
            received += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            self._check(received)
            return message

        await self._app(scope, checked_receive, send)

    async def _receive_soon(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(self._max_pause_s):
                return await receive()
        except TimeoutError:
            raise UploadStalledError(
                f"expected the rest of the request, got none of it for {self._max_pause_s:g} s"
            ) from None

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise UploadTooLargeError(
                f"expected a request of at most {self._max_bytes} bytes, got {size} or more"
            )
