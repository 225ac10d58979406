"""Documents beside a model file: calibration.json, decoding.json, evaluation.json, parity.json.

Each names the weights that it is about, and one that is about others is not used.
"""

import json
import logging
from pathlib import Path
from typing import TypeVar

from otoscope.atomic_files import replacing
from otoscope.errors import ModelFileError, SpecError
from otoscope.strict_json import dump, parse

T = TypeVar("T")

logger = logging.getLogger(__name__)


def read_sidecar(path: Path, model_sha256: str, kind: type[T]) -> T | None:
    """What a JSON document says of a model.

    Args:
        path: of the document.
        model_sha256: which the document has to name.
        kind: what it holds: a strict dataclass (see `otoscope.strict_json`), or dict.

    Returns:
        None if there is no such file, or if it is about other weights; the log says so then.

    Raises:
        ModelFileError: if the file is something else.
    """
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise SpecError(f"expected a JSON object, got {type(data).__name__}")
        found = data.get("model_sha256")
        if found == model_sha256:
            return parse(kind, data, kind.__name__)
    except (OSError, ValueError) as error:  # SpecError is a ValueError
        raise ModelFileError(f"{path}: expected a document about a model: {error}") from error
    logger.warning("%s is not used: expected model_sha256 %s, got %s", path, model_sha256, found)
    return None


def write_sidecar(path: Path, document: object) -> None:
    """Write what `read_sidecar` reads: a strict dataclass, or a dict."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(dump(document), indent=1) + "\n", encoding="utf-8")
