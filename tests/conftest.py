"""What all tests share: where the corpus and the shipped model are."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of the speech corpus; the test is skipped where there is none."""
    folder = Path(os.environ.get("OTOSCOPE_CORPUS", ROOT / "../shared/corpus")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}: set OTOSCOPE_CORPUS")
    return folder


@pytest.fixture(scope="session")
def english_model() -> Path:
    """The shipped model."""
    path = ROOT / "models/english/model.onnx"
    if not path.is_file():
        pytest.skip(f"no model at {path}: run `make export`")
    return path
