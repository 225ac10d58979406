"""What each key of a configuration means, from its dataclasses' docstrings; and TOML with it."""

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass

from otoscope.features import FeatureSpec
from otoscope.vocabulary import Alphabet, SymbolSet
from training.config import (
    AugmentConfig,
    CorpusConfig,
    LoopConfig,
    LossConfig,
    ModelConfig,
    OptimiserConfig,
    Source,
    TrainingConfig,
)

SECTIONS: dict[str, type] = {
    "": TrainingConfig,
    "features": FeatureSpec,
    "corpus": CorpusConfig,
    "corpus.train": Source,
    "model": ModelConfig,
    "augment": AugmentConfig,
    "optimiser": OptimiserConfig,
    "loss": LossConfig,
    "loop": LoopConfig,
}
"""TOML's tables and the dataclasses that they are."""

_ENTRY = re.compile(r"^(\w+(?:, \w+)*): ", re.MULTILINE)
_WIDTH = 96


def explained(kind: type) -> dict[str, str]:
    """Names of a dataclass's fields -> what its docstring says of them, in one line."""
    _, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes:\n")
    parts = _ENTRY.split(textwrap.dedent(attributes))[1:]
    texts: dict[str, str] = {}
    for names, text in zip(parts[::2], parts[1::2], strict=True):
        texts |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return texts


def table(kind: type) -> str:
    """The keys of a dataclass as a Markdown table: key, default, meaning."""
    words = explained(kind)
    rows = [
        f"| `{one.name}` | {_default(one)} | {words[one.name]} |"
        for one in fields(kind)
        if one.name not in SECTIONS
    ]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def _default(field: "Field[object]") -> str:
    if field.default is MISSING:
        return "must be given"
    return f"`{value_of(field.default)}`"


def value_of(value: object) -> str:
    """As TOML writes it; a number of phonemes is cut short."""
    match value:
        case Alphabet():
            return json.dumps(value.joined, ensure_ascii=False)
        case SymbolSet():
            return json.dumps(list(value.symbols), ensure_ascii=False)
        case None:
            return "none"
        case tuple():
            return f"[{', '.join(map(value_of, value))}]"
        case str() | bool():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)


def toml(config: TrainingConfig, head: str) -> str:
    """A configuration with a remark for every key; features that are the default go without saying.

    Args:
        config: of a run.
        head: what stands above it all, for people.
    """
    lines = [*_remark(head), *_keys(config, "")]
    for section in SECTIONS:
        if section in ("", "corpus.train"):
            continue
        value = getattr(config, section)
        lines += ["", f"[{section}]", *_keys(value, section)]
        if section == "corpus":
            for source in config.corpus.train:
                lines += ["", "[[corpus.train]]", *_keys(source, "")]
    return "\n".join(lines) + "\n"


def _keys(value: object, section: str) -> Iterator[str]:
    assert is_dataclass(value)  # noqa: S101 - what the sections are
    words = explained(type(value))
    for one in fields(value):
        given = getattr(value, one.name)
        if one.name in SECTIONS or one.name == "train" or given is None:
            continue
        default = given == one.default
        if default and (section == "features" or one.name == "phonemes"):
            continue
        yield from _remark(words[one.name])
        yield f"{one.name} = {_number(given)}"


def _number(value: object) -> str:
    """A float stays one: TOML tells them apart."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_number, value))}]"
    if isinstance(value, float):
        return repr(value)
    return value_of(value)


def _remark(text: str) -> list[str]:
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, _WIDTH)]
    return [f"# {line}" for line in lines]
