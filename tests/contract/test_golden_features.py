"""Features stay what they were: a model trained yesterday must read them tomorrow."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["log_mel", "utterance", "mfcc"])
def test_features_are_what_they_were(name):
    module_spec = importlib.util.spec_from_file_location("golden", HERE / "make_golden_features.py")
    make_golden_features = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(make_golden_features)

    with np.load(HERE / "golden_features.npz") as golden:
        expected = golden[name]

    assert expected.shape[0] == 20
    np.testing.assert_allclose(make_golden_features.compute()[name], expected, rtol=0, atol=1e-4)
