"""A request's body: a form, or a recording as it is."""

import codecs
import logging
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from tempfile import SpooledTemporaryFile

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser, MultipartPart

from otoscope.errors import EncodingError
from otoscope.text_files import decode_text
from service.errors import FormError, UploadsFullError

FILE_FIELD = "file"
RAW_TYPES = ("audio/*", "video/*", "application/octet-stream", "application/ogg")
"""Media types of bodies that are the file itself, as `curl --data-binary @FILE` sends it."""

_RAW = re.compile("(audio|video)/.+|application/(octet-stream|ogg)")
_ENCODINGS = re.compile("ascii|utf|iso8859|cp|koi8|mac|gb|big5|euc|shift_jis")
"""Python knows others under such names, which are none of texts, or slow."""

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

    Some clients send `filename*` alone (RFC 8187, which RFC 7578 forbids here), or none. And
    Starlette takes text that is not in the encoding it should be in for latin-1.
    """

    def on_part_end(self) -> None:
        super().on_part_end()
        part = self._current_part
        if part.file is None:
            self.items[-1] = (part.field_name, _text(part, self.headers))

    def on_headers_finished(self) -> None:
        part = self._current_part
        disposition = (part.content_disposition or b"").lower()
        headers = Headers(raw=[(name, value) for name, value in part.item_headers])
        kind = headers.get("content-type", "text/plain").lower()
        is_file = b"filename*" in disposition or not kind.startswith("text/")
        if is_file and not re.search(rb";\s*filename\s*=", disposition):
            part.content_disposition = (part.content_disposition or b"") + b'; filename="audio"'
        super().on_headers_finished()


def _text(part: MultipartPart, headers: Headers) -> str:
    """Of a field: in the encoding that its part or the whole form names, else as its bytes tell.

    Raises:
        FormError: if it is in another.
    """
    data, name = bytes(part.data), part.field_name[:200]
    own = next((value for field, value in part.item_headers if field == b"content-type"), b"")
    whole = headers["content-type"].encode("latin-1")
    named = (parse_options_header(each)[1].get(b"charset", b"") for each in (own, whole))
    charset = next(filter(None, named), b"").decode("latin-1")
    try:
        if charset.lower() in ("", "utf-8", "utf8"):
            return decode_text(data, name)
        return data.decode(_codec(charset))
    except EncodingError as error:
        raise FormError(str(error), name) from None
    except (LookupError, ValueError):
        raise FormError(
            f"{name}: expected text in {charset!r:.80}, got other bytes", name
        ) from None


def _codec(charset: str) -> str:
    """Python's name of an encoding; LookupError or ValueError if it has none."""
    name = codecs.lookup(charset).name
    if not _ENCODINGS.match(name):
        raise LookupError(name)
    return name


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
