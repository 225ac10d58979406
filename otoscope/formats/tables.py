"""Matrices over time: which rows are wanted, and CSV, npy and JSON without a loop over cells."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from otoscope.errors import ViewError
from otoscope.posteriors import FrameClock

Values = npt.NDArray[np.float32]  # (rows, columns) float32

_ROUNDING_S = 1e-3
"""Responses round a recording's length to milliseconds, and clients may give it back as `to_s`."""
_FRAME_TOLERANCE = 1e-6
_TIME_DECIMALS = 6


def rows_within(
    clock: FrameClock, frames: int, from_s: float | None, to_s: float | None
) -> tuple[tuple[float, float], slice]:
    """A part of a recording: its start and end in seconds, and the frames centred in [start, end).

    Args:
        clock: of the recording.
        frames: how many it has.
        from_s: in seconds; None for the recording's start.
        to_s: in seconds; None for its end.

    Raises:
        ViewError: if that is no part of the recording, or holds no frame.
    """
    start_s = 0.0 if from_s is None else from_s
    stop_s = clock.duration_s if to_s is None else to_s
    if not 0 <= start_s < stop_s <= clock.duration_s + _ROUNDING_S:
        raise ViewError(
            f"expected 0 <= from_s < to_s <= {clock.duration_s:.3f} (the recording's length in "
            f"seconds), got {start_s:g} and {stop_s:g}"
        )
    first, stop = (math.ceil(t / clock.frame_s - _FRAME_TOLERANCE) for t in (start_s, stop_s))
    stop = frames if to_s is None else min(stop, frames)
    if first >= stop:
        raise ViewError(
            f"expected from_s and to_s with a frame's centre between, each {clock.frame_s:g} s "
            f"up to {clock.center_s(frames - 1):g} s, got {start_s:g} and {stop_s:g}"
        )
    return (start_s, min(stop_s, clock.duration_s)), slice(first, stop)


def times_s(clock: FrameClock, rows: slice) -> npt.NDArray[np.float64]:
    """(rows,) the centres of these frames in seconds."""
    centers: npt.NDArray[np.float64] = np.arange(rows.start, rows.stop) * clock.frame_s
    return centers.round(_TIME_DECIMALS)


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
