"""Files on this machine or in any store that fsspec knows: recordings and results."""

import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from otoscope.atomic_files import replacing
from otoscope.audio import AUDIO_SUFFIXES
from otoscope.bulk.local_files import files_in
from otoscope.errors import ManifestError, OtoscopeError
from otoscope.manifest_rows import AUDIO_FIELD, Row, csv_rows, json_rows, tsv_rows
from otoscope.text_files import decode_text

_ROWS_OF = {".jsonl": json_rows, ".csv": csv_rows, ".tsv": tsv_rows}
"""Readers of manifests, by suffix."""


class SourceError(OtoscopeError):
    """A source contains no recordings, or can't be read."""

    slug = "source"


class Store:
    """A folder for results, in which files are written atomically.

    On this machine they are renamed when complete; in an object store an object appears when its
    upload is complete. Methods raise OSError if the store refuses access or can't be reached.
    """

    def __init__(self, url: str) -> None:
        """Open a folder, without writing.

        Raises:
            SourceError: if fsspec can't open such a URL.
        """
        self.url = url
        self._fs, self._root = _place(url)

    def check(self) -> None:
        """Write a file and remove it, so that a place that takes none is known before the work."""
        name = f".check-{uuid.uuid4().hex}"
        self.write(name, b"")
        self.remove(name)

    def write(self, name: str, body: bytes) -> None:
        """Write a file, or replace it."""
        path = self._path(name)
        if isinstance(self._fs, LocalFileSystem):
            with replacing(Path(path)) as partial:
                partial.write_bytes(body)
            return
        with _os_errors(f"{self.url}/{name}"):
            self._fs.pipe_file(path, body)

    def read(self, name: str) -> bytes:
        """The content of a file; FileNotFoundError if there is none."""
        with _os_errors(f"{self.url}/{name}"):
            return bytes(self._fs.cat_file(self._path(name)))

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        with _os_errors(f"{self.url}/{name}"):
            return bool(self._fs.exists(self._path(name)))

    def names(self, folder: str) -> list[str]:
        """Sorted names of the files in a folder; none if there is no such folder."""
        self._fs.invalidate_cache()
        path = self._path(folder)
        with _os_errors(f"{self.url}/{folder}"):
            if not self._fs.exists(path):
                return []
            paths = self._fs.ls(path, detail=False)
        return sorted(f"{folder}/{PurePosixPath(str(each)).name}" for each in paths)

    def remove(self, name: str) -> None:
        """Delete a file."""
        with _os_errors(f"{self.url}/{name}"):
            self._fs.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def find_sources(given: Sequence[str]) -> list[str]:
    """Recordings in folders, globs, manifests and single files, each once.

    Args:
        given: paths and URLs. A manifest is JSON lines, or a table with a header, and names
            recordings in `audio_filepath`, relative to itself.

    Returns:
        Paths of this machine, and URLs.

    Raises:
        SourceError: if one of them holds no recordings.
        ManifestError: if a row of a manifest names no recording, or a part of one.
        OSError: if one of them can't be reached.
    """
    found: dict[str, None] = {}
    for one in given:
        with _os_errors(one):
            recordings = _of_one(one)
        if not recordings:
            raise SourceError(f"expected recordings in {one}, got none that are named as audio")
        found.update(dict.fromkeys(recordings))
    return list(found)


@contextmanager
def on_disk(source: str) -> Iterator[Path]:
    """A recording as a file of this machine; OSError if it can't be read."""
    fs, path = _place(source)
    if isinstance(fs, LocalFileSystem):
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="otoscope-") as folder:
        copy = Path(folder, "recording")
        with _os_errors(source):
            fs.get_file(path, str(copy))
        yield copy


@contextmanager
def _os_errors(url: str) -> Iterator[None]:
    """What goes wrong at a place as an OSError that names it: each store has errors of its own."""
    try:
        yield
    except OtoscopeError:
        raise
    except OSError as error:
        raise error if url in str(error) else OSError(f"{url}: {error}") from error
    except Exception as error:
        raise OSError(f"{url}: {type(error).__name__}: {error}") from error


def _of_one(given: str) -> list[str]:
    fs, path = _place(given)
    if PurePosixPath(path).suffix.lower() in _ROWS_OF:
        return _of_manifest(given)
    if fs.isfile(path):
        return [_named(fs, path)]
    if fs.isdir(path):
        return _of_folder(fs, path)
    if any(sign in path for sign in "*?["):
        return sorted(_named(fs, each) for each in fs.glob(path) if fs.isfile(each))
    raise SourceError(
        f"expected a folder, a glob, a manifest or an audio file, got {given}, which does not exist"
    )


def _of_folder(fs: Any, path: str) -> list[str]:  # noqa: ANN401 - fsspec has no types
    if isinstance(fs, LocalFileSystem):  # whose `find` passes over folders that can't be read
        return sorted(
            str(each) for each in files_in(Path(path)) if each.suffix.lower() in AUDIO_SUFFIXES
        )
    files = (PurePosixPath(each) for each in fs.find(path))
    return sorted(_named(fs, str(each)) for each in files if _is_audio(each, PurePosixPath(path)))


def _is_audio(path: PurePosixPath, root: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.suffix.lower() in AUDIO_SUFFIXES and not hidden


def _of_manifest(given: str) -> list[str]:
    try:
        with fsspec.open(given, "rb") as file:
            text = decode_text(file.read(), given)
    except OSError as error:
        raise SourceError(f"{given}: expected a manifest: {error}") from error
    base = given.rpartition("/")[0]
    rows_of = _ROWS_OF[PurePosixPath(given).suffix.lower()]
    return [_beside(base, _recording(row)) for row in rows_of(text, given)]


def _recording(row: Row) -> str:
    """The name in a row; ManifestError if it can be none, and for a part of a recording."""
    name = row.text([AUDIO_FIELD])
    try:
        usable = b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:  # half a surrogate pair
        usable = False
    if not usable:
        raise ManifestError(f"{row.where}: expected the name of a file, got {name!r:.80}")
    start_s, _ = row.part()
    if start_s:
        raise ManifestError(
            f"{row.where}: expected whole recordings, got one with an offset: {name}"
        )
    return name


def _beside(base: str, name: str) -> str:
    return name if name.startswith("/") or "://" in name or not base else f"{base}/{name}"


def _named(fs: Any, path: str) -> str:  # noqa: ANN401 - fsspec has no types
    return path if isinstance(fs, LocalFileSystem) else str(fs.unstrip_protocol(path))


def _place(url: str) -> tuple[Any, str]:
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise SourceError(
            f"expected a path or a URL that fsspec can open, got {url}: {error}"
        ) from error
    return fs, str(path).rstrip("/") or "/"
