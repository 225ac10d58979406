"""JSON-like data -> frozen dataclasses, refusing what is unknown, missing or of the wrong type."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from otoscope.errors import SpecError


class Strict:
    """Base of dataclasses that `parse` builds: pydantic refuses unknown keys and other types."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)


T = TypeVar("T")

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def parse(kind: type[T], data: object, source: str, *, complete: bool = False) -> T:
    """Build `kind` from dicts, lists and scalars.

    Args:
        kind: a dataclass derived from `Strict`, as are those nested in it.
        data: what a JSON or TOML file held.
        source: where it came from, for the error.
        complete: refuse data that leave a field to its default.

    Raises:
        SpecError: naming each wrong field, what was expected and what came.
    """
    try:
        value: T = _adapter(kind).validate_json(json.dumps(data))
    except TypeError as error:
        raise SpecError(f"{source}: expected what JSON can hold, got {error}") from None
    except ValidationError as error:
        lines = describe(
            error.errors(), lambda path: _dotted(path) or "document", lambda each: str(each["msg"])
        )
        raise SpecError(f"{source}: " + "; ".join(lines)) from None
    if complete and (missing := _missing(dump(value), data)):
        raise SpecError(f"{source}: expected all fields, got none for {', '.join(missing)}")
    return value


def loads(text: str, source: str) -> object:
    """What a JSON document holds; SpecError naming `source` if it is none."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise SpecError(f"{source}: expected JSON, got {error}") from None


def dump(value: object) -> dict[str, Any]:
    """A dataclass -> dicts, lists and scalars that `parse` takes back."""
    data: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return data


def _dotted(path: Sequence[object]) -> str:
    return ".".join(str(part) for part in path)


def _expected_and_got(problem: Any) -> str:  # noqa: ANN401 - one of pydantic's ErrorDetails
    match problem["type"]:
        case "missing":
            return str(problem["msg"])
        case "value_error":  # from a validator of this project, which says what came itself
            return str(problem["ctx"]["error"])
        case _:
            return f"{problem['msg']}, got {problem['input']!r:.80}"


def describe(
    problems: Iterable[Any],
    name: Callable[[Sequence[Any]], str] = _dotted,
    what: Callable[[Any], str] = _expected_and_got,
) -> list[str]:
    """Pydantic's findings as "field: what was expected, got this".

    Args:
        problems: what `errors()` of a validation error gives.
        name: of the field at a path of names and indices.
        what: the rest of the line.
    """
    return [f"{name(each['loc']):.200}: {what(each)}" for each in problems]


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Made once for each class, which takes longer than to use it."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _missing(whole: object, data: object, path: str = "") -> list[str]:
    """Dotted names of the fields that `whole` has and `data` lacks."""
    if not isinstance(whole, dict) or not isinstance(data, dict):
        return []
    names: list[str] = []
    for key, value in whole.items():
        name = f"{path}{key}"
        names += [name] if key not in data else _missing(value, data[key], f"{name}.")
    return names
