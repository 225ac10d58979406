"""Rows with names for their fields: JSON lines, CSV and TSV, with NeMo's names for recordings.

Errors name the line. What separates lines elsewhere (U+2028) may stand in fields.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from otoscope.errors import ManifestError

AUDIO_FIELD = "audio_filepath"

_QUOTED = re.compile(r'"(?:[^"]|"")*"')


class Row(NamedTuple):
    """A row of a manifest.

    Attributes:
        fields: by their names; those of a table are strings.
        where: file and line, for errors.
    """

    fields: Mapping[str, Any]
    where: str

    def text(self, names: Sequence[str]) -> str:
        """The first of these fields that is there, a string; ManifestError if there is none."""
        fields = self.fields
        value = next((fields[name] for name in names if fields.get(name) is not None), None)
        if value is None:
            raise ManifestError(f"{self.where}: expected {names[0]!r}, got only {sorted(fields)}")
        if not isinstance(value, str) or (names[0] == AUDIO_FIELD and not value.strip()):
            raise ManifestError(
                f"{self.where}: expected a string as {names[0]!r}, got {value!r:.80}"
            )
        return value

    def part(self) -> tuple[float, float | None]:
        """Start and duration, in seconds: NeMo's `duration` cuts where there is an `offset` only.

        Raises:
            ManifestError: if they are no seconds.
        """
        if self.fields.get("offset") in (None, ""):
            return 0.0, None
        start_s = self._seconds("offset")
        if self.fields.get("duration") in (None, ""):
            return start_s, None
        duration_s = self._seconds("duration")
        if duration_s == 0:
            got = self.fields["duration"]
            raise ManifestError(f"{self.where}: duration: expected more than 0 s, got {got!r}")
        return start_s, duration_s

    def _seconds(self, name: str) -> float:
        value = self.fields[name]
        try:
            seconds = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            raise ManifestError(
                f"{self.where}: {name}: expected seconds from 0 on, got {value!r:.80}"
            )
        return seconds


def json_rows(text: str, name: str) -> Iterator[Row]:
    """A JSON object a line.

    Args:
        text: of the manifest.
        name: of it, for errors.

    Raises:
        ManifestError: naming the line.
    """
    for number, line in lines_of(text):
        try:
            fields = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ManifestError(f"{name}:{number}: expected a JSON object: {error}") from None
        if not isinstance(fields, dict):
            raise ManifestError(f"{name}:{number}: expected a JSON object, got {line[:40]!r}")
        yield Row(fields, f"{name}:{number}")


def tsv_rows(text: str, name: str) -> Iterator[Row]:
    """Lines of fields between tabs. Quotes are text, but for those around a whole field.

    Arguments and errors as of `json_rows`.
    """
    rows = ((number, line.rstrip("\r").split("\t")) for number, line in lines_of(text))
    return _named(((number, [_unquoted(field) for field in row]) for number, row in rows), name)


def csv_rows(text: str, name: str) -> Iterator[Row]:
    """RFC 4180, but for line breaks within fields: an odd quote would swallow rows.

    Arguments and errors as of `json_rows`.
    """
    return _named(_csv_fields(text, name), name)


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1 on, without empty ones; U+2028 separates none."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _csv_fields(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any("\n" in field or "\r" in field for field in row):
                raise ManifestError(
                    f"{name}:{reader.line_num}: expected fields of one line each, got one of "
                    "several: is a quote not closed, or not doubled?"
                )
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise ManifestError(f"{name}:{reader.line_num}: expected CSV: {error}") from None


def _named(rows: Iterator[tuple[int, list[str]]], name: str) -> Iterator[Row]:
    """Rows by the names in the first one."""
    first = next(rows, None)
    if first is None:
        raise ManifestError(f"{name}: expected a line with the names of columns, got nothing")
    columns = [column.strip() for column in first[1]]
    if len(set(columns)) != len(columns):
        raise ManifestError(f"{name}:{first[0]}: expected different columns, got {columns}")
    for number, row in rows:
        if len(row) != len(columns):
            raise ManifestError(
                f"{name}:{number}: expected {len(columns)} fields ({', '.join(columns)}), "
                f"got {len(row)}: {row}"
            )
        yield Row(dict(zip(columns, row, strict=True)), f"{name}:{number}")


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if _QUOTED.fullmatch(field) else field
