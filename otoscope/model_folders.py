"""Models in folders by name: models/NAME/ holds one model and what is its own."""

from pathlib import Path

from otoscope.errors import ModelFileError

FOLDER = Path("models")
EXACT = "model.onnx"
FILES = ("model.int8.onnx", EXACT)
"""A model's file in its folder: the first that is there."""

_REPOSITORY = Path(__file__).resolve().parents[1]


def find_model(named: Path) -> Path:
    """The file of a model that is given by its file, its folder, or its folder's name in models/.

    What is relative is looked for in the working directory, then in the repository. The path of
    a file that is in neither is given back as it is.

    Raises:
        ModelFileError: on a folder without a model, or a name that no folder has.
    """
    places = [base / named for base in (Path(), _REPOSITORY)]
    by_name = len(named.parts) == 1 and not named.suffix
    if by_name:
        places += [base / FOLDER / named for base in (Path(), _REPOSITORY)]
    for place in places:
        if place.is_file():
            return place
        for name in FILES:
            if (place / name).is_file():
                return place / name
    if by_name or any(place.is_dir() for place in places):
        there = {each.parent.name for base in (Path(), _REPOSITORY) for each in _models(base)}
        raise ModelFileError(
            f"expected a model's file, its folder with {' or '.join(FILES)}, or its name, "
            f"one of {', '.join(sorted(there)) or 'none'}; got {str(named)!r}"
        )
    return named


def exact_file(place: Path) -> Path:
    """Where the exact form of a model lies: EXACT in a folder, unless a file is named."""
    return place if place.suffix == ".onnx" else place / EXACT


def _models(base: Path) -> list[Path]:
    return [each for name in FILES for each in (base / FOLDER).glob(f"*/{name}")]
