"""What all tests share: where the corpus and the shipped model are."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pause_punctuator import write_pause_punctuator
from sentence_model import write_sentence_model

from otoscope import ENGLISH, FrameClock, Posteriors

os.environ.setdefault("OTOSCOPE_HOSTS", "testserver,localhost")  # the first is TestClient's

ROOT = Path(__file__).resolve().parent.parent
SLOW_FIXTURES = {"browser", "serve_from", "whole_run", "phoneme_run"}
"""A browser, a service in a process of its own, a run of training."""


@pytest.hookimpl(tryfirst=True)  # before tests are selected by their marks
def pytest_collection_modifyitems(items):
    """Call slow what needs something slow."""
    for item in items:
        if SLOW_FIXTURES.intersection(item.fixturenames):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of the speech corpus; the test is skipped where there is none."""
    folder = Path(os.environ.get("OTOSCOPE_CORPUS", ROOT / "../shared/corpus")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}: set OTOSCOPE_CORPUS")
    return folder


@pytest.fixture(scope="session")
def sentence_model(tmp_path_factory) -> Path:
    """A model that knows examples/sample.flac, for tests of what is done with any model."""
    return write_sentence_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def written_model(tmp_path_factory, sentence_model) -> Path:
    """The same with a punctuation model beside it: pauses of half a second end sentences."""
    folder = shutil.copytree(sentence_model.parent, tmp_path_factory.mktemp("written") / "model")
    write_pause_punctuator(folder / "punctuation.onnx")
    return folder / sentence_model.name


@pytest.fixture(scope="session", params=["english", "english-small"])
def shipped_model(request) -> Path:
    """A model of the checkout: the one that is served by default, and the small one."""
    return ROOT / "models" / request.param / "model.int8.onnx"


@pytest.fixture
def make_posteriors() -> Callable[..., Posteriors]:
    def make(frames=50, seed=0):
        scores = np.random.default_rng(seed).standard_normal((frames, ENGLISH.size))
        log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return Posteriors(log_probs.astype(np.float32), ENGLISH, FrameClock(0.04, frames * 0.04))

    return make
