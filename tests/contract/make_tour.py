"""Run the commands of docs/tour.md against a service of their own, and write down the answers.

Wanted when an answer, a command or the shipped model has changed:

    make tour
"""

import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tour
from running_service import running_service

PATH = tour.REPOSITORY / "docs/tour.md"
_PICTURE = re.compile(r"\]\(tour/([\w-]+\.png)\)")


def pictures(document: str) -> list[str]:
    """Names of the files that commands write and docs/tour/ keeps for the document to show."""
    return _PICTURE.findall(document)


def take(folder: Path) -> str:
    """The document as it should be.

    Args:
        folder: an empty one, for what the commands write.
    """
    document = PATH.read_text(encoding="utf-8")
    with TemporaryDirectory() as store, running_service(Path(store) / "results") as address:
        return tour.written(document, tour.run(tour.steps_of(document), address, folder))


def _write() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        document = take(folder)
        PATH.write_text(document, encoding="utf-8")
        for picture in pictures(document):
            shutil.copyfile(folder / picture, PATH.with_suffix("") / picture)


if __name__ == "__main__":
    PATH.with_suffix("").mkdir(exist_ok=True)
    _write()
