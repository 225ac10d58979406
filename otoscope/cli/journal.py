"""A record of a folder's outputs, so that an interrupted run can be resumed.

Each line is about an output: the SHA-256 of its recording and of itself, and the fingerprint of
everything else that the text depends on. It is written before the output, which is written
atomically. So an output with a matching line is complete, and one without is not this command's.
"""

import hashlib
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from otoscope.atomic_files import replacing
from otoscope.errors import OtoscopeError
from otoscope.local_model import sha256_of

FILE_NAME = "otoscope-journal.jsonl"


class OutputTakenError(OtoscopeError):
    """An output's path is taken by a file that this command did not write."""

    slug = "output-taken"


class Origin(NamedTuple):
    """Inputs of an output: the recording's SHA-256, and the fingerprint of everything else."""

    recording: str
    job: str


class Journal:
    """The journal in one folder."""

    def __init__(self, folder: Path) -> None:
        """Read the journal, if there is one; OSError if it can't be read."""
        self._folder = folder
        self._path = folder / FILE_NAME
        self._origins: dict[str, dict[str, Origin]] = defaultdict(dict)
        self._broken_off = False
        if self._path.is_file():
            text = self._path.read_text(encoding="ascii", errors="replace")
            self._broken_off = bool(text) and not text.endswith("\n")
            for line in text.splitlines():
                self._read(line)

    def holds(self, output: Path, origin: Origin) -> bool:
        """Whether the output of that origin exists.

        Raises:
            OutputTakenError: if there is a file that this command has not written, or that was
                changed.
        """
        if not output.exists():
            return False
        found = self._origins[self._name(output)].get(sha256_of(output))
        if found is None:
            raise OutputTakenError(
                f"{output} exists, and was not written by this command or was changed since: move "
                "it away, or choose another --out-dir or --format"
            )
        return found == origin

    def write(self, output: Path, body: bytes, origin: Origin) -> None:
        """Write an output, after its line."""
        sha256 = hashlib.sha256(body).hexdigest()
        fields = {"output": self._name(output), "sha256": sha256, **origin._asdict()}
        line = json.dumps(fields) + "\n"
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="ascii") as file:
            file.write("\n" + line if self._broken_off else line)
            file.flush()
            os.fsync(file.fileno())
        self._broken_off = False
        self._origins[fields["output"]][sha256] = origin
        with replacing(output) as partial:
            partial.write_bytes(body)

    def _name(self, output: Path) -> str:
        return output.relative_to(self._folder).as_posix()

    def _read(self, line: str) -> None:
        """Parse a line; an incomplete one is ignored."""
        try:
            fields = json.loads(line)
            origin = Origin(fields["recording"], fields["job"])
            self._origins[fields["output"]][fields["sha256"]] = origin
        except (ValueError, KeyError, TypeError):
            return
