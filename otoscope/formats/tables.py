"""Matrices as CSV, npy and JSON, without a loop over cells."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from otoscope.arrays import Floats

Values = npt.NDArray[np.float32]  # (rows, columns) float32


def to_csv(columns: Sequence[str], times: Floats, values: Values) -> bytes:
    """RFC 4180: a header, then a row a frame with its time first; numbers as JSON has them."""
    cells = np.column_stack((times, values)).astype(np.float32)
    lines = orjson.dumps(cells, option=orjson.OPT_SERIALIZE_NUMPY)
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
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
