"""Reading a request: a bound on its bytes, and one audio file with options in a form."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import FormError, UploadTooLargeError, describe

FILE_FIELD = "file"
_MAX_PARTS = 32


class TranscribeOptions(BaseModel):
    """What a caller may ask for beside the text, as form or query fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    probs: bool = Field(
        default=False, description="Put the matrix that GET /probs gives in the answer."
    )


@dataclass(frozen=True)
class Upload:
    """One file, not yet read, and what is wanted of it.

    Attributes:
        file: Starlette keeps it in memory up to 1 MiB, and beyond in a temporary file, so that
            files that wait their turn take no memory.
    """

    file: BinaryIO
    options: TranscribeOptions


@asynccontextmanager
async def read_upload(request: Request) -> AsyncIterator[Upload]:
    """Receive the form of `request`; its file is closed in the end.

    Raises:
        FormError: naming the field that is unknown, missing, doubled or wrong.
        UploadTooLargeError: as soon as there are more bytes than `BodyLimit` allows.
    """
    async with request.form(max_files=_MAX_PARTS, max_fields=_MAX_PARTS) as form:
        fields = form.multi_items()
        options = _options(
            [*request.query_params.multi_items(), *(f for f in fields if f[0] != FILE_FIELD)]
        )
        content_type = request.headers.get("content-type", "none").partition(";")[0]
        file = _one_file([value for name, value in fields if name == FILE_FIELD], content_type)
        yield Upload(file, options)


def _options(fields: Iterable[tuple[str, object]]) -> TranscribeOptions:
    known = TranscribeOptions.model_fields
    values: dict[str, object] = {}
    for name, value in fields:
        if name not in known:
            raise FormError(f"expected the fields {FILE_FIELD}, {', '.join(known)}, got {name!r}")
        if name in values:
            raise FormError(f"{name}: expected one value, got two")
        values[name] = value
    try:
        return TranscribeOptions.model_validate(values)
    except ValidationError as error:
        raise FormError("; ".join(describe(error.errors()))) from None


def _one_file(values: list[UploadFile | str], content_type: str) -> BinaryIO:
    if len(values) != 1:
        raise FormError(
            f"expected one file in the field {FILE_FIELD!r} of multipart/form-data, "
            f"got {len(values)} (Content-Type: {content_type})"
        )
    if not isinstance(values[0], UploadFile):
        raise FormError(f"{FILE_FIELD}: expected a file, got text (its part needs a filename)")
    return values[0].file


class BodyLimit:
    """ASGI middleware that counts a request's body as it arrives and stops at a limit.

    It raises UploadTooLargeError in whoever reads the body, with or without a Content-Length.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request with a `receive` that counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            self._check(received)
            return message

        announced = dict(scope["headers"]).get(b"content-length", b"")

        async def checked_receive() -> Message:
            if announced.isdigit():
                self._check(int(announced))
            return await counting_receive()

        await self._app(scope, checked_receive, send)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise UploadTooLargeError(
                f"expected a request of at most {self._max_bytes} bytes, got {size} or more"
            )
