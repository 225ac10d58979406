"""The reports beside a model file: how well it does, and how close its export is.

`python -m training evaluate --json` writes evaluation.json, `onnx_export` writes parity.json.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otoscope.errors import ModelFileError
from otoscope.sidecars import read_sidecar
from service.errors import StartError

_DEV_SET = "dev"
_DECODER = "greedy"
_COUNTED_IN = {"cer": "characters", "wer": "words"}


@dataclass(frozen=True)
class ModelReports:
    """What was measured about a model; None where nothing was."""

    evaluation: dict[str, Any] | None
    parity: dict[str, Any] | None

    def dev_rate(self, rate: str) -> float | None:
        """An error rate, "cer" or "wer", of greedy decoding on all dev manifests together."""
        sets = (self.evaluation or {}).get("sets", [])
        rates = [
            each["rates"]
            for each in sets
            if each["manifest"].split("/")[-1] == _DEV_SET and each["decoder"] == _DECODER
        ]
        total = sum(each[_COUNTED_IN[rate]] for each in rates)
        if not total:
            return None
        errors = sum(each[rate] * each[_COUNTED_IN[rate]] for each in rates)
        return float(errors / total)


def read_reports(model_path: Path, model_sha256: str, exact_sha256: str) -> ModelReports:
    """Read evaluation.json and parity.json beside `model_path`, as far as they are there.

    Args:
        model_path: the model file.
        model_sha256: of that file, which evaluation.json has to be about.
        exact_sha256: of the exact model that it is an 8-bit form of, or its own: the one that was
            exported, which parity.json has to be about.

    Raises:
        StartError: if one of them is not a report.
    """
    path = model_path.with_name("evaluation.json")
    try:
        reports = ModelReports(
            evaluation=read_sidecar(path, model_sha256, dict),
            parity=read_sidecar(model_path.with_name("parity.json"), exact_sha256, dict),
        )
        for rate in _COUNTED_IN:
            reports.dev_rate(rate)
    except ModelFileError as error:
        raise StartError(str(error)) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise StartError(f"{path}: expected sets with their rates, got {error!r}") from error
    return reports
