"""Matrices over time: which rows are wanted, and CSV, npy and JSON without a loop over cells."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from otoscope.errors import ViewError

Values = npt.NDArray[np.float32]  # (rows, columns) float32

_ROUNDING_S = 1e-3
"""Answers round a recording's length to milliseconds, and clients may give it back as `to_s`."""
_FRAME_TOLERANCE = 1e-6
_TIME_DECIMALS = 6


@dataclass(frozen=True)
class Timeline:
    """Rows of a whole recording.

    Attributes:
        step_s: row i is centred on i * step_s seconds.
        rows: how many there are.
        duration_s: length of the recording.
    """

    step_s: float
    rows: int
    duration_s: float

    def within(self, from_s: float | None, to_s: float | None) -> slice:
        """The rows whose centres lie in [from_s, to_s), the recording's ends where None.

        Raises:
            ViewError: if that is no part of the recording, or holds no row.
        """
        start_s, stop_s = self.span_s(from_s, to_s)
        first = self._first_at(start_s)
        stop = self.rows if to_s is None else min(self._first_at(stop_s), self.rows)
        if first >= stop:
            raise ViewError(
                f"expected from_s and to_s with a frame's centre between, each {self.step_s:g} s "
                f"up to {(self.rows - 1) * self.step_s:g} s, got {start_s:g} and {stop_s:g}"
            )
        return slice(first, stop)

    def span_s(self, from_s: float | None, to_s: float | None) -> tuple[float, float]:
        """Start and end in seconds; ViewError if they are no part of the recording."""
        start_s = 0.0 if from_s is None else from_s
        stop_s = self.duration_s if to_s is None else to_s
        if not 0 <= start_s < stop_s <= self.duration_s + _ROUNDING_S:
            raise ViewError(
                f"expected 0 <= from_s < to_s <= {self.duration_s:.3f} (the recording's length in "
                f"seconds), got {start_s:g} and {stop_s:g}"
            )
        return start_s, min(stop_s, self.duration_s)

    def _first_at(self, time_s: float) -> int:
        return math.ceil(time_s / self.step_s - _FRAME_TOLERANCE)


def times_s(rows: slice, step_s: float) -> npt.NDArray[np.float64]:
    """(rows,) the centres of these rows in seconds."""
    centres: npt.NDArray[np.float64] = np.arange(rows.start, rows.stop) * step_s
    return centres.round(_TIME_DECIMALS)


def to_csv(columns: Sequence[str], times: npt.NDArray[np.float64], values: Values) -> bytes:
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
