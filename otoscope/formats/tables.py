"""Matrices as CSV, npy and JSON, without a loop over cells."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from otoscope.arrays import Floats

_NUMBERS_AT_ONCE = 2**14
"""About a millisecond's work."""

Values = npt.NDArray[np.float32]  # (rows, columns) float32


def to_csv(columns: Sequence[str], times: Floats, values: Values) -> bytes:
    """RFC 4180: a header, then a row a frame with its time first; numbers as JSON has them."""
    cells = np.column_stack((times, values)).astype(np.float32)
    lines = _array_json(cells)
    header = csv_lines([["time_s", *columns]])
    return header + lines.removeprefix(b"[[").removesuffix(b"]]").replace(b"],[", b"\r\n") + b"\r\n"


def csv_lines(rows: Sequence[Sequence[object]]) -> bytes:
    """RFC 4180 of any cells."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def to_npy(values: Values) -> bytes:
    """What `numpy.load` reads."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def to_json(document: dict[str, Any]) -> bytes:
    """JSON of dicts, lists, scalars and numpy arrays."""
    return orjson.dumps(_with_pieces(document), option=orjson.OPT_SERIALIZE_NUMPY)


def _with_pieces(document: dict[str, Any]) -> dict[str, Any]:
    """The same with large arrays as JSON already, also in dicts within."""
    ready: dict[str, Any] = {}
    for name, value in document.items():
        match value:
            case dict():
                ready[name] = _with_pieces(value)
            case np.ndarray() if value.size > _NUMBERS_AT_ONCE:
                ready[name] = orjson.Fragment(_array_json(value))
            case other:
                ready[name] = other
    return ready


def _array_json(values: npt.NDArray[Any]) -> bytes:
    """JSON of an array, in pieces: orjson holds the interpreter's lock, and others wait for it."""
    rows = max(1, _NUMBERS_AT_ONCE * len(values) // max(1, values.size))
    pieces = (
        orjson.dumps(values[start : start + rows], option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
        for start in range(0, len(values), rows)
    )
    return b"[" + b",".join(pieces) + b"]"
