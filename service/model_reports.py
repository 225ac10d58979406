"""The reports that lie beside a model file: how well it does, and whether its export is true.

`python -m training evaluate --json` writes evaluation.json, `onnx_export` writes parity.json. Each
names the weights it is about, and one that is about others is not shown.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import StartError

_DEV = "dev"
_DECODER = "greedy"
_COUNTED_IN = {"cer": "characters", "wer": "words"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelFacts:
    """What was measured about a model; None where nobody did."""

    evaluation: dict[str, Any] | None
    parity: dict[str, Any] | None

    def dev(self, rate: str) -> float | None:
        """An error rate, "cer" or "wer", of greedy decoding on all dev manifests together."""
        sets = (self.evaluation or {}).get("sets", [])
        rates = [
            each["rates"]
            for each in sets
            if each["manifest"].split("/")[-1] == _DEV and each["decoder"] == _DECODER
        ]
        total = sum(each[_COUNTED_IN[rate]] for each in rates)
        if not total:
            return None
        errors = sum(each[rate] * each[_COUNTED_IN[rate]] for each in rates)
        return float(errors / total)


def read_facts(model_path: Path, model_sha256: str, exact_sha256: str) -> ModelFacts:
    """Read evaluation.json and parity.json beside `model_path`, as far as they are there.

    Args:
        model_path: the model file.
        model_sha256: of that file, which evaluation.json has to be about.
        exact_sha256: of the exact model that it is an 8-bit form of, or its own: the one that was
            exported, which parity.json has to be about.

    Raises:
        StartError: if one of them is not a report.
    """
    facts = ModelFacts(
        evaluation=_read(model_path.with_name("evaluation.json"), model_sha256),
        parity=_read(model_path.with_name("parity.json"), exact_sha256),
    )
    try:
        for rate in _COUNTED_IN:
            facts.dev(rate)
    except (AttributeError, KeyError, TypeError) as error:
        path = model_path.with_name("evaluation.json")
        raise StartError(f"{path}: expected sets with their rates, got {error!r}") from error
    return facts


def _read(path: Path, model_sha256: str) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StartError(f"{path}: expected JSON, got {error}") from error
    if not isinstance(data, dict):
        raise StartError(f"{path}: expected a JSON object, got {type(data).__name__}")
    if data.get("model_sha256") != model_sha256:
        logger.warning(
            "%s is not shown: expected model_sha256 %s, got %s",
            path,
            model_sha256,
            data.get("model_sha256"),
        )
        return None
    return data
