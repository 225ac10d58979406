"""Write docs/configuration.md: every variable that the service reads, from its Settings.

Wanted when a setting has changed:

    make configuration
"""

from pathlib import Path
from typing import Any

from service.settings import PREFIX, SECRETS, Settings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"

_HEAD = """# Configuration

Operations only, by environment variables that are read once at the start. What the model is
(features, alphabet, blank) travels in the model file, and no variable changes it. A wrong value
stops the start with exit status 2 and one line that names the variable, what was expected and what
came. Empty is as good as not set. `make configuration` writes this page from
`service.settings.Settings`.

| variable | default | allowed | what |
|---|---|---|---|
"""
_TAIL = """
A secret may stand in a file instead: {files} name it.
What `docker compose` reads besides stands in `.env.example`; [operations.md](operations.md) and
[deploy.md](deploy.md) say what the values mean in use.
"""


def document() -> str:
    """The page as it should be."""
    properties = Settings.model_json_schema()["properties"]
    rows = [_row(name, properties[name]) for name in Settings.model_fields]
    files = " and ".join(f"`{PREFIX}{name.upper()}_FILE`" for name in SECRETS)
    return _HEAD + "\n".join(rows) + "\n" + _TAIL.format(files=files)


def _row(name: str, schema: dict[str, Any]) -> str:
    default = schema.get("default")
    # A default that is found out at the start is told in the description.
    shown = "" if default is None or name in SECRETS or name == "store" else f"`{_plain(default)}`"
    cells = (f"`{PREFIX}{name.upper()}`", shown, _allowed(schema), schema["description"])
    return "| " + " | ".join(cells) + " |"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _allowed(schema: dict[str, Any]) -> str:
    for variant in schema.get("anyOf", ()):  # of what is found out at the start if it is null
        if variant["type"] != "null":
            return _allowed(variant)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
    }
    limits = [f"{word} {_plain(schema[key])}" for key, word in words.items() if key in schema]
    kind = {"integer": "a whole number", "number": "a number"}.get(schema.get("type", ""), "")
    return " ".join([kind, ", ".join(limits)]).strip()


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
