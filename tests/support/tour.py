"""A document whose commands are run and whose answers are written down.

In Markdown, a block of `sh` or `python` is a command; a block of any other kind right after it is
what the command prints. A block of `bash` is shown and not run: installing, training, deploying.
All commands of a document are one shell session, as its reader would type them, in a folder that
has the repository's `examples` and `models`.
"""

import difflib
import hashlib
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ADDRESS = "http://127.0.0.1:8000"
"""Of the service, in documents."""

WIDTH = 100
MOST_LINES = 14
SESSION_S = 600.0

_COMMANDS = ("sh", "python")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b[0-9a-f]{32}\b")
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_FIXED = re.compile(r'"(?:type|status|decoder|unit)": [^,}\n]+')
_FIXED_LINE = re.compile(r"^(?:\d{3}|time_s,.*|exit status \d+)$", re.MULTILINE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Step:
    """A command and what it prints.

    Attributes:
        kind: of the command: sh or python.
        answer_kind: of the answer; None if nothing is printed.
        answer: as the document has it.
        place: of the answer in the document, from and to.
    """

    kind: str
    command: str
    answer_kind: str | None = None
    answer: str = ""
    place: tuple[int, int] = (0, 0)


def steps_of(document: str) -> list[Step]:
    """The commands of a document, in order."""
    steps: list[Step] = []
    end = None  # of a command that may be answered
    for block in _BLOCK.finditer(document):
        kind, text = block.groups()
        if kind in _COMMANDS:
            steps.append(Step(kind, text))
            end = block.end()
        else:
            follows = end is not None and not document[end : block.start()].strip()
            if follows and kind != "bash":
                steps[-1] = replace(steps[-1], answer_kind=kind, answer=text, place=block.span(2))
            end = None
    return steps


def run(steps: list[Step], address: str, folder: Path) -> list[str]:
    """What the commands print, standard error included, and their exit status unless it is 0.

    Args:
        steps: the commands; where they say ADDRESS, `address` is meant.
        address: of a running service.
        folder: an empty one, for what the commands write.
    """
    for name in ("examples", "models"):
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / ".curlrc").write_text("silent\nshow-error\n")
    outputs = [folder / f".{number}.out" for number, _ in enumerate(steps)]
    script = ""
    for step, output in zip(steps, outputs, strict=True):
        command = step.command.replace(ADDRESS, address)
        if step.kind == "python":
            program = output.with_suffix(".py")
            program.write_text(command)
            command = f"python {program}\n"
        script += f"{{\n{command}}} >{output} 2>&1 || echo exit status $? >>{output}\n"
    subprocess.run(
        ["bash", "-c", script], cwd=folder, env=_environment(folder), check=False, timeout=SESSION_S
    )
    return [output.read_text().replace(address, ADDRESS) for output in outputs]


def _environment(folder: Path) -> dict[str, str]:
    """This Python and this checkout before any other."""
    programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return {
        **os.environ,
        "PATH": programs,
        "PYTHONPATH": str(REPOSITORY),
        "CURL_HOME": str(folder),
        "no_proxy": "127.0.0.1",
    }


def written(document: str, outputs: list[str]) -> str:
    """The document with these outputs as its answers.

    Raises:
        ValueError: if a command prints what the document has no place for.
    """
    known: dict[str, str] = {}
    numbers = count(1)
    replaced = []
    for step, output in zip(steps_of(document), outputs, strict=True):
        for result_id in _ID.findall(output):
            known.setdefault(result_id, _stand_in(next(numbers)))
        shown = _ID.sub(lambda found: known[found[0]], output)
        if step.answer_kind is not None:
            replaced.append((step.place, _answer(shown, step.answer_kind)))
        elif shown:
            raise ValueError(f"expected no output of\n{step.command}got\n{shown}")
    for place, answer in reversed(replaced):
        document = document[: place[0]] + answer + document[place[1] :]
    return document


def _stand_in(number: int) -> str:
    """In place of an id, which is another in every run."""
    return hashlib.blake2s(bytes([number]), digest_size=16).hexdigest()


def _answer(output: str, kind: str) -> str:
    if kind == "json":
        return laid_out(json.loads(output)) + "\n"
    lines = [line.rstrip() for line in output.rstrip().split("\n")]
    more = ["..."] if len(lines) > MOST_LINES else []
    return "\n".join([*lines[:MOST_LINES], *more]) + "\n"


def laid_out(value: object, indent: int = 0) -> str:
    """JSON for people: what fits a line is one, and long lists are cut short."""
    flat = _flat(value)
    if len(flat) + indent <= WIDTH or not isinstance(value, dict | list):
        return flat
    if isinstance(value, dict):
        names = [f"{json.dumps(name)}: " for name in value]
        items = [
            name + laid_out(each, indent + 1 + len(name))
            for name, each in zip(names, value.values(), strict=True)
        ]
    else:
        items = [laid_out(each, indent + 1) for each in value[: _shown(value)]]
        items += ["..."] * (len(items) < len(value))
    first, last = "{}" if isinstance(value, dict) else "[]"
    return first + (",\n" + " " * (indent + 1)).join(_filled(items, WIDTH - indent - 1)) + last


def _filled(items: list[str], width: int) -> list[str]:
    """As many of the items on a line as fit; one of several lines stands alone."""
    lines = items[:1]
    for item in items[1:]:
        together = f"{lines[-1]}, {item}"
        if "\n" in together or len(together) > width:
            lines.append(item)
        else:
            lines[-1] = together
    return lines


def _shown(values: list[object]) -> int:
    """How many of a list are shown."""
    most, few = (3, 2) if isinstance(next(iter(values), None), dict | list) else (10, 6)
    return len(values) if len(values) <= most else few


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_flat(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        shown = [_flat(each) for each in value[: _shown(value)]]
        return "[" + ", ".join([*shown, *["..."] * (len(shown) < len(value))]) + "]"
    if isinstance(value, str) and _CHECKSUM.fullmatch(value):
        value = f"{value[:8]}..."
    return json.dumps(value, ensure_ascii=False)


def differences(document: str, fresh: str) -> list[str]:
    """Lines of a diff of two versions of a document; none if their answers say the same."""
    pairs = zip(steps_of(document), steps_of(fresh), strict=True)
    if all(alike(old.answer, new.answer) for old, new in pairs):
        return []
    return list(difflib.unified_diff(document.splitlines(), fresh.splitlines(), lineterm="", n=1))


def shape(answer: str) -> list[str]:
    """What of an answer depends on neither model nor processor: names of fields, and statuses."""
    if answer.startswith("{"):
        return sorted(set(re.findall(r'"(\w+)": ', answer))) + _FIXED.findall(answer)
    return _FIXED_LINE.findall(answer)


def alike(old: str, new: str) -> bool:
    """Whether two answers differ by line breaks and by no more than processors do."""
    old, new = ("".join(text.split()) for text in (old, new))
    if _NUMBER.sub("0", old) != _NUMBER.sub("0", new):
        return False
    return all(
        math.isclose(float(left), float(right), rel_tol=1e-3, abs_tol=2e-3)
        for left, right in zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    )
