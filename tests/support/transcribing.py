"""POST /transcribe, as most clients send it."""

import httpx
from fastapi.testclient import TestClient
from sentence_model import SAMPLE

SAMPLE_FLAC = SAMPLE.read_bytes()
FILES = {
    "text": "text/plain; charset=utf-8",
    "srt": "application/x-subrip",
    "vtt": "text/vtt; charset=utf-8",
    "textgrid": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}
"""Formats without a place for an id, and their types."""


def transcribe(
    client: TestClient, data: bytes = SAMPLE_FLAC, *, accept: str = "*/*", **form: object
) -> httpx.Response:
    """Send a file's bytes, by default the sample's, and options in the form."""
    headers = {"Accept": accept}
    return client.post("/transcribe", files={"file": data}, data=form, headers=headers)
