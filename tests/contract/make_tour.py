"""Run the commands of some documents, each with a service of its own, and write down the answers.

Run it when an answer, a command or the shipped model has changed, and before a release:

    make tour        # writes the documents
    make tour-check  # compares instead, but for the little that depends on the processor
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
PNG_SIZE = slice(16, 24)  # width and height, in the header
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


def check(path: Path) -> list[str]:
    """What the document at `path` says otherwise than a service; nothing if all is well."""
    document = path.read_text(encoding="utf-8")
    with TemporaryDirectory() as name:
        folder = Path(name)
        found = tour.differences(document, take(document, folder))
        for picture in pictures(document):
            kept, fresh = DOCS / "tour" / picture, folder / picture
            if kept.read_bytes()[PNG_SIZE] != fresh.read_bytes()[PNG_SIZE]:
                found.append(f"{picture} has another size")
    return found


def write(path: Path) -> None:
    """Write the document at `path` again, and the pictures that it shows."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        document = take(path.read_text(encoding="utf-8"), folder)
        path.write_text(document, encoding="utf-8")
        for picture in pictures(document):
            shutil.copyfile(folder / picture, DOCS / "tour" / picture)


def main(arguments: list[str]) -> str | None:
    """Write the documents, or with --check compare them: why not to exit with 0, if so."""
    paths = [tour.REPOSITORY / name for name in DOCUMENTS]
    if arguments != ["--check"]:
        for path in paths:
            write(path)
        return None
    found = [line for path in paths for line in check(path)]
    return "\n".join([*found, "run `make tour`"]) if found else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
