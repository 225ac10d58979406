"""The mean of the weights of models that were trained from one another.

Errors that the models don't share get less; so do confidences that are too high (Wortsman et al.
2022, "Robust fine-tuning of zero-shot models" and "Model soups").
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from otoscope.errors import ModelFileError
from otoscope.spec import ModelSpec
from training.weights import checkpoint
from training.weights.warm_start import read_weights


def average(paths: Sequence[Path], out: Path) -> None:
    """Write the mean to export.

    Args:
        paths: `best.pt` of a run, whose facts the mean has, and others or a model.onnx, of the
            same network.
        out: the checkpoint to write.

    Raises:
        ModelFileError: if a file is no such model, or of another network.
    """
    first = checkpoint.load_exportable(paths[0])
    mean = first.model.state_dict()
    for count, path in enumerate(paths[1:], 2):
        weights, spec = read_weights(path)
        _require_same(weights, mean, path)
        if _meaning(spec) != _meaning(first.spec):
            raise ModelFileError(
                f"{path}: expected the features, alphabet and phonemes of {paths[0]}, got others"
            )
        for name, values in weights.items():
            if values.is_floating_point():
                mean[name] = mean[name].lerp(values, 1 / count)
    first.model.load_state_dict(mean)
    provenance = replace(first.spec.provenance, dev_cer=None)
    checkpoint.save_exportable(out, replace(first, spec=replace(first.spec, provenance=provenance)))


def _meaning(spec: ModelSpec) -> tuple[object, ...]:
    """What the numbers that go in and come out stand for."""
    return spec.features, spec.alphabet, spec.phonemes


def _require_same(found: dict[str, Tensor], wanted: dict[str, Tensor], path: Path) -> None:
    ours, theirs = ({name: one.shape for name, one in each.items()} for each in (found, wanted))
    if differing := {name for name, _ in ours.items() ^ theirs.items()}:
        raise ModelFileError(
            f"{path}: expected the same network as in the first, got one that differs in "
            f"{', '.join(sorted(differing)[:5])}"
        )
