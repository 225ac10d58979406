"""Bytes from outside, as text."""

import pytest

from otoscope.errors import EncodingError
from otoscope.text_files import decode_text, read_text

TEXT = "café, it was a long time\r\nnaïve\u2028"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]
)
def test_unicode_in_any_form(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.replace("\u2028", "").encode(encoding))
    assert read_text(path) == TEXT.replace("\u2028", "")


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_big_and_little_endian_marks(mark):
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert decode_text(mark + TEXT.encode(encoding), "a.txt") == TEXT


def test_nothing_is_a_text():
    assert decode_text(b"", "a.txt") == ""


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "mac-roman"])
def test_what_could_be_several_encodings_is_refused(encoding):
    with pytest.raises(EncodingError, match=r"^a\.txt: expected text in UTF-8 .* at byte 3"):
        decode_text("café".encode(encoding), "a.txt")


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfea", b"\xff\xfe\x00\xd8", b"a\0b\0\1\xd8", b"\xef\xbb\xbf\xff"],
    ids=["half a unit", "half a pair", "half a pair without mark", "a mark of UTF-8"],
)
def test_broken_unicode_is_refused(data):
    with pytest.raises(EncodingError):
        decode_text(data, "a.txt")
