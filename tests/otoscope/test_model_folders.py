"""Models by file, folder and name."""

from pathlib import Path

import pytest

from otoscope.errors import ModelFileError
from otoscope.model_folders import find_model


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("models/german/model.onnx", "models/german/model.int8.onnx", "runs/x/model.onnx"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("german", "models/german/model.int8.onnx"),
        ("models/german", "models/german/model.int8.onnx"),
        ("models/german/model.onnx", "models/german/model.onnx"),
        ("runs/x", "runs/x/model.onnx"),
        ("runs/x/model.onnx", "runs/x/model.onnx"),
        ("runs/y/model.onnx", "runs/y/model.onnx"),
    ],
)
def test_a_file_a_folder_or_a_name_will_do(here: Path, named: str, found: str) -> None:
    assert find_model(Path(named)) == Path(found)
    assert find_model(here / found) == here / found


@pytest.mark.parametrize("named", ["greek", "runs"])
def test_what_holds_no_model_is_refused_with_the_names_that_there_are(
    here: Path, named: str
) -> None:
    with pytest.raises(ModelFileError, match=f"one of english.*, german.*got '{named}'"):
        find_model(Path(named))
