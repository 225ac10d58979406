import csv
import io
import itertools

import numpy as np
import pytest

from otoscope import FrameClock
from otoscope.errors import ViewError
from otoscope.formats.tables import csv_lines, rows_within, times_s, to_csv, to_npy

CLOCK = FrameClock(frame_s=0.04, duration_s=1.0)
FRAMES = 25


@pytest.mark.parametrize(
    ("from_s", "to_s", "rows"),
    [
        (None, None, slice(0, 25)),
        (0.0, 1.0, slice(0, 25)),
        (0.04, None, slice(1, 25)),
        (0.05, None, slice(2, 25)),
        (None, 0.04, slice(0, 1)),  # the frame at 0.04 is not before 0.04
        (None, 0.041, slice(0, 2)),
        (0.12, 0.28, slice(3, 7)),  # 7 * 0.04 is a little more than 0.28
        (0.95, 1.0, slice(24, 25)),
        (None, 1.0004, slice(0, 25)),  # a length that was rounded to milliseconds
    ],
)
def test_rows_are_those_with_their_centres_within(from_s, to_s, rows):
    assert rows_within(CLOCK, FRAMES, from_s, to_s)[1] == rows


def test_neighbouring_parts_make_the_whole():
    edges = [None, *(k * 0.07 for k in range(1, 14)), None]
    parts = [rows_within(CLOCK, FRAMES, a, b)[1] for a, b in itertools.pairwise(edges)]
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(25))


@pytest.mark.parametrize(
    ("from_s", "to_s"), [(0.5, 0.5), (0.6, 0.5), (1.0, None), (2.0, None), (None, 0.0), (0.0, 1.01)]
)
def test_times_outside_the_recording(from_s, to_s):
    with pytest.raises(ViewError, match=r"expected 0 <= from_s < to_s <= 1\.000 .*, got"):
        rows_within(CLOCK, FRAMES, from_s, to_s)


def test_a_part_between_two_frames():
    with pytest.raises(ViewError, match=r"a frame's centre between, each 0\.04 s up to 0\.96 s"):
        rows_within(CLOCK, FRAMES, 0.05, 0.07)
    with pytest.raises(ViewError, match="a frame's centre"):
        rows_within(CLOCK, FRAMES, 0.97, None)


def test_the_span_ends_with_the_recording():
    assert rows_within(CLOCK, FRAMES, None, None)[0] == (0.0, 1.0)
    assert rows_within(CLOCK, FRAMES, 0.5, 1.0004)[0] == (0.5, 1.0)


def test_csv_reads_back():
    values = np.array([[0.5, 1e-6], [0.123456, 1.0]], dtype=np.float32)
    data = to_csv(["a", ","], times_s(CLOCK, slice(3, 5)), values)
    assert data.startswith(b'time_s,a,","\r\n0.12,0.5,')
    assert data.endswith(b"\r\n")
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    assert header == ["time_s", "a", ","]
    read = np.array(rows, dtype=np.float32)
    np.testing.assert_array_equal(read[:, 1:], values)
    np.testing.assert_array_equal(read[:, 0], np.float32([0.12, 0.16]))


def test_any_cells_as_csv():
    assert csv_lines([["a", 'say "b"'], [1, 0.25]]) == b'a,"say ""b"""\r\n1,0.25\r\n'


def test_npy_reads_back():
    values = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    for given in (values, values[::2], np.asfortranarray(values)):
        read = np.load(io.BytesIO(to_npy(given)), allow_pickle=False)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, given)
