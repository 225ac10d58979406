"""The shipped models, and what reads their posteriors."""

from pathlib import Path

import pytest

from otoscope import Recognizer
from otoscope.decoding.decoder import open_decoder

LANGUAGE_MODEL = Path(__file__).resolve().parents[2] / "models/english/lm.npz"


@pytest.fixture(scope="module")
def english(shipped_model):
    return Recognizer(shipped_model)


@pytest.fixture(scope="module")
def decoder(english, shipped_model):
    """With the language model that both share."""
    return open_decoder(english.spec, english.exact_sha256, shipped_model, LANGUAGE_MODEL)
