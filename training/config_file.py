"""A TOML file -> a training run's choices.

Unknown keys, missing keys and wrong types are errors that name the key.
"""

import tomllib
from pathlib import Path
from typing import Any

from otoscope.errors import SpecError
from otoscope.strict_json import parse
from training.config import TrainingConfig


def read_config(path: Path) -> TrainingConfig:
    """Read a TOML file.

    `alphabet` is written as one string of symbols, `phonemes` as a list of names.

    Raises:
        SpecError: naming the key, what was expected and what came.
    """
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: expected TOML: {error}") from None
    if isinstance(data.get("alphabet"), str):
        data["alphabet"] = {"symbols": list(data["alphabet"])}
    if isinstance(data.get("phonemes"), list):
        data["phonemes"] = {"symbols": data["phonemes"]}
    return parse(TrainingConfig, data, str(path))
