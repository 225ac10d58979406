"""Write the tables of docs/training.md: every key of a configuration, from its dataclasses.

Wanted when a key has changed:

    make configuration
"""

import re
from pathlib import Path

from training.config.explain import SECTIONS, table

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "training.md"
_REGION = re.compile(r"(<!-- keys: .*? -->\n).*(\n<!-- end of keys -->)", re.DOTALL)


def document() -> str:
    """The page as it should be."""
    tables = "\n\n".join(f"### {_title(name)}\n\n{table(kind)}" for name, kind in SECTIONS.items())
    return _REGION.sub(
        lambda found: f"{found[1]}\n{tables}\n{found[2]}", DOCUMENT.read_text(encoding="utf-8")
    )


def _title(section: str) -> str:
    if not section:
        return "At the top"
    return f"`[[{section}]]`, once for each manifest" if "." in section else f"`[{section}]`"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
