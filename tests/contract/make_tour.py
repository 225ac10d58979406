"""Run the commands of some documents, each with a service of its own, and write down the answers.

Run it when an answer, a command or the shipped model has changed:

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

DOCS = tour.REPOSITORY / "docs"
DOCUMENTS = ("README.md", "docs/tour.md", "docs/alignment.md")
_PICTURE = re.compile(r"\]\(tour/([\w-]+\.png)\)")


def pictures(document: str) -> list[str]:
    """Names of the files that commands write and docs/tour/ keeps for the document to show."""
    return _PICTURE.findall(document)


def take(document: str, folder: Path) -> str:
    """The document as it should be.

    Args:
        document: as it is.
        folder: an empty one, for what the commands write.
    """
    with TemporaryDirectory() as store, running_service(Path(store) / "results") as address:
        return tour.written(document, tour.run(tour.steps_of(document), address, folder))


def _write(path: Path) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        document = take(path.read_text(encoding="utf-8"), folder)
        path.write_text(document, encoding="utf-8")
        for picture in pictures(document):
            shutil.copyfile(folder / picture, DOCS / "tour" / picture)


if __name__ == "__main__":
    for name in DOCUMENTS:
        _write(tour.REPOSITORY / name)
