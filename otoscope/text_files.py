"""Texts from outside: UTF-8, or UTF-16 and UTF-32 where the bytes say so."""

import codecs
from pathlib import Path

from otoscope.errors import EncodingError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """A file's text, as `decode_text` says; line ends stay as they are."""
    return decode_text(path.read_bytes(), str(path))


def decode_text(data: bytes, name: str) -> str:
    """Bytes as text, without a byte order mark.

    What has no mark is UTF-8, or UTF-16 if every other byte of its plain characters is 0. Older
    encodings are refused: bytes do not tell one of them from another.

    Args:
        data: a whole file.
        name: of it, for the error.

    Raises:
        EncodingError: naming the first byte that does not fit.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    try:
        return data.decode(encoding or _unmarked(data))
    except UnicodeDecodeError as error:
        got = f"0x{data[error.start]:02x} at byte {error.start}"
        raise EncodingError(
            f"{name}: expected text in UTF-8 (or UTF-16 with a byte order mark), got {got}; "
            "iconv -f LATIN1 -t UTF-8, for instance, converts it"
        ) from None


def _unmarked(data: bytes) -> str:
    if b"\0" not in data or len(data) % 2:
        return "utf-8"
    even, odd = data[::2].count(0), data[1::2].count(0)
    if even and odd:
        return "utf-8"
    return "utf-16-be" if even else "utf-16-le"
