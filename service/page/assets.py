"""The files that the page is made of, under an address that changes when any of them does."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from starlette.exceptions import HTTPException

PREFIX = "/page/"
"""All files are below this address; none of them is secret."""

_HERE = Path(__file__).resolve().parent
_ROOTS: Mapping[str, Path] = {
    "static": _HERE / "static",
    "examples": _HERE.parents[1] / "examples",
    "swagger": Path(str(files("fastapi_swagger") / "resources")),
}
"""Folders whose files are served, by the name they have in addresses."""

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".flac": "audio/flac",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
"""What is served of these folders: files with these suffixes only."""

_SAMPLE = "examples/sample.flac"


@dataclass(frozen=True)
class Asset:
    """A file's bytes, and what they are."""

    body: bytes
    media_type: str


class Assets:
    """All files, read once.

    Attributes:
        version: a digest of all of them, so that browsers may keep each forever.
    """

    def __init__(self, roots: Mapping[str, Path] = _ROOTS) -> None:
        """Read the files below `roots`; a folder that is not there has none."""
        self._files = {
            f"{name}/{path.relative_to(root).as_posix()}": path.read_bytes()
            for name, root in roots.items()
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.suffix in _MEDIA_TYPES
        }
        digest = hashlib.sha256()
        for name, body in self._files.items():
            digest.update(f"{name} {len(body)} ".encode() + body)
        self.version = digest.hexdigest()[:16]

    def get(self, name: str) -> Asset:
        """The file of that name, "static/js/main.js".

        Raises:
            HTTPException: 404, if there is none.
        """
        if name not in self._files:
            raise HTTPException(404, f"expected a file of the page, got {name[:200]!r}")
        return Asset(self._files[name], _MEDIA_TYPES[Path(name).suffix])

    def document(self, name: str) -> bytes:
        """An HTML file with addresses filled in.

        `{assets}` becomes the address of this version's files, `{sample}` that of the recording to
        try, empty where there is none. They are relative: a proxy may put a path before them.
        """
        folder = f"{PREFIX.strip('/')}/{self.version}"
        sample = f"{folder}/{_SAMPLE}" if _SAMPLE in self._files else ""
        body = self.get(name).body.replace(b"{assets}", folder.encode())
        return body.replace(b"{sample}", sample.encode())
