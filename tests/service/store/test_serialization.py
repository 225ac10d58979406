import numpy as np
import pytest

from service.store.serialization import pack, unpack


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 3), (1000, 80)])
def test_bytes_become_the_same_matrix(shape):
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for given in (values, np.asfortranarray(values), values[::-1]):
        read = unpack(pack(given), shape[1])
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, given)


def test_every_float_keeps_its_bits():
    values = np.array([[np.inf, -np.inf, np.nan, -0.0, 1e-45, 3.4e38]], dtype=np.float32)
    assert unpack(pack(values), 6).tobytes() == values.tobytes()
