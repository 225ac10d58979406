import csv
import io

import numpy as np
import orjson
import pytest

from otoscope.formats.tables import csv_lines, to_csv, to_json, to_npy


def test_csv_reads_back():
    values = np.array([[0.5, 1e-6], [0.123456, 1.0]], dtype=np.float32)
    data = to_csv(["a", ","], np.array([0.12, 0.16]), values)
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


@pytest.mark.parametrize("shape", [(0, 3), (1, 40_000), (40_000,), (30_000, 3), (5000, 29), (7, 3)])
def test_large_arrays_are_written_in_pieces_and_to_the_same_bytes(shape):
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    whole = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
    document = {"a": 1, "in": {"values": values, "b": [None]}, "values": values}
    expected = b'{"a":1,"in":{"values":%b,"b":[null]},"values":%b}' % (whole, whole)
    assert to_json(document) == expected
    assert document["values"] is values
