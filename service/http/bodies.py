"""A request's body: a form, or a recording as it is."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from tempfile import SpooledTemporaryFile

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from service.errors import UploadsFullError

FILE_FIELD = "file"
RAW_TYPES = ("audio/*", "video/*", "application/octet-stream", "application/ogg")
"""Media types of bodies that are the file itself, as `curl --data-binary @FILE` sends it."""

_RAW = re.compile("(audio|video)/.+|application/(octet-stream|ogg)")
_MAX_PARTS = 32
_IN_MEMORY_BYTES = MultiPartParser.spool_max_size

logger = logging.getLogger(__name__)


@asynccontextmanager
async def receive_body(request: Request) -> AsyncIterator[FormData]:
    """Fields and files of the body of `request`; files are closed in the end.

    Args:
        request: of which nothing has been read. A body of one of RAW_TYPES is one file.

    Raises:
        HTTPException: if it is malformed.
        UploadTooLargeError, UploadStalledError: as `BodyLimitMiddleware` says.
        UploadsFullError: if there is no room for the file.
    """
    try:
        form = await _received(request)
    except OSError as error:  # of the temporary file: the connection's errors are no OSErrors
        logger.error("no room for an upload: %s", error)  # noqa: TRY400 - the message says it all
        raise UploadsFullError(
            f"expected room for the file in the temporary directory, got {error.strerror}; "
            f"try again in {UploadsFullError.retry_after_s} s"
        ) from error
    try:
        yield form
    finally:
        await form.close()


async def _received(request: Request) -> FormData:
    kind = content_type(request)
    if kind == "multipart/form-data":
        return await _multipart(request)
    if _RAW.fullmatch(kind):
        return FormData([(FILE_FIELD, await _spooled(request))])
    return await request.form(max_files=_MAX_PARTS, max_fields=_MAX_PARTS)


def content_type(request: Request) -> str:
    """The media type of a body, without parameters; "none" if the request does not say."""
    return request.headers.get("content-type", "none").partition(";")[0].strip().lower()


class _PartsParser(MultiPartParser):
    """Starlette's, to which the file's part is a file also without a plain `filename`.

    Some clients send `filename*` alone (RFC 8187, which RFC 7578 forbids here), or none.
    """

    def on_headers_finished(self) -> None:
        part = self._current_part
        disposition = (part.content_disposition or b"").lower()
        headers = Headers(raw=[(name, value) for name, value in part.item_headers])
        kind = headers.get("content-type", "text/plain").lower()
        is_file = b"filename*" in disposition or not kind.startswith("text/")
        if is_file and not re.search(rb";\s*filename\s*=", disposition):
            part.content_disposition = (part.content_disposition or b"") + b'; filename="audio"'
        super().on_headers_finished()


async def _multipart(request: Request) -> FormData:
    try:
        async with aclosing(request.stream()) as stream:
            return await _PartsParser(
                request.headers, stream, max_files=_MAX_PARTS, max_fields=_MAX_PARTS
            ).parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error


async def _spooled(request: Request) -> UploadFile:
    """The body as a file, in memory while it is small."""
    file = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - the form closes it
    upload = UploadFile(file)  # type: ignore[arg-type]
    try:
        async with aclosing(request.stream()) as stream:
            async for chunk in stream:
                await upload.write(chunk)
        await upload.seek(0)
    except BaseException:
        await run_in_threadpool(upload.file.close)
        raise
    return upload
