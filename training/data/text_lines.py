"""Text files, a paragraph a line."""

import gzip
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_OPEN: dict[str, Callable[..., Any]] = {".xz": lzma.open, ".gz": gzip.open}


def text_lines(path: Path) -> Iterator[str]:
    """Lines in UTF-8, .xz and .gz unpacked."""
    with _OPEN.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
        yield from file
