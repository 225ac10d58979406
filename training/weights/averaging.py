"""The mean of the weights of models that were trained from one another.

Errors that the models don't share get less; so do confidences that are too high (Wortsman et al.
2022, "Robust fine-tuning of zero-shot models" and "Model soups").
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from otoscope.errors import ModelFileError
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
    shapes = {name: values.shape for name, values in mean.items()}
    for count, path in enumerate(paths[1:], 2):
        weights, _ = read_weights(path)
        found = {name: values.shape for name, values in weights.items()}
        if differing := {name for name, _ in shapes.items() ^ found.items()}:
            raise ModelFileError(
                f"{path}: expected the network of {paths[0]}, got one that differs in "
                f"{', '.join(sorted(differing)[:5])}"
            )
        for name, values in weights.items():
            mean[name] = mean[name].lerp(values, 1 / count)
    first.model.load_state_dict(mean)
    provenance = replace(first.spec.provenance, dev_cer=None)
    spec = replace(first.spec, provenance=provenance)
    checkpoint.save_exportable(out, replace(first, spec=spec))
