"""Averaging the weights of models that came from one another.

A model and what further training made of it lie in one valley of the loss, and between them it is
deeper than at either: their averaged weights generalise better, at no cost when they are used
(Wortsman et al. 2022, "Model soups"; 2022, "Robust fine-tuning of zero-shot models").
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from otoscope.errors import ModelFileError
from training.data.prepare import DevSet
from training.evaluation.metrics import pooled_cer
from training.run import validation
from training.weights import checkpoint, from_onnx
from training.weights.batchnorm import fold
from training.weights.checkpoint import Exportable

Weights = dict[str, Tensor]

SHARES = tuple(tenth / 10 for tenth in range(1, 10))


def average(
    first: Path,
    others: Sequence[Path],
    dev: Callable[[Exportable], Sequence[DevSet]],
    say: Callable[[str], None] = tqdm.write,
    *,
    evenly: bool = False,
) -> Exportable:
    """Mix the others' weights into the first's, each with the share that hears the dev sets best.

    Args:
        first: a run's `best.pt`; what it says of itself stays.
        others: checkpoints or exported models of the same form, one after the other.
        dev: what to choose by, for the first model.
        say: takes a line for people of each share that was tried.
        evenly: all of them have the same share, whatever the dev sets say.

    Raises:
        ModelFileError: if a file is neither, or of a model of another form, or if there is nothing
            to choose by.
    """
    exportable = checkpoint.load_exportable(first)
    sets = dev(exportable)
    if not sets:
        raise ModelFileError(f"{first}: expected a run with dev manifests, to choose by; got none")
    best = fold(exportable.model.state_dict())
    best_cer = _cer(exportable, best, sets, f"{first} alone", say)
    for number, other in enumerate(others, 2):
        theirs = _weights(other, best)
        alone = best
        for share in (1 / number,) if evenly else SHARES:
            mixed = mix(alone, theirs, share)
            cer = _cer(exportable, mixed, sets, f"{100 * share:.0f} % of {other}", say)
            if evenly or cer < best_cer:
                best, best_cer = mixed, cer
    exportable.model.load_state_dict(best)
    today = datetime.now(UTC).date().isoformat()
    facts = replace(exportable.spec.provenance, dev_cer=round(best_cer, 4), created=today)
    return replace(exportable, spec=replace(exportable.spec, provenance=facts))


def mix(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], share: float) -> Weights:
    """(1 - share) of ours and `share` of theirs, weight by weight; counters stay ours."""
    return {
        name: weights.lerp(theirs[name], share) if weights.is_floating_point() else weights
        for name, weights in ours.items()
    }


def _weights(path: Path, ours: Mapping[str, Tensor]) -> Weights:
    """Folded weights of another model, under the names and with the shapes of ours."""
    if path.suffix == ".onnx":
        theirs = from_onnx.weights_of(path)
    else:
        theirs = fold(checkpoint.load_exportable(path).model.state_dict())
    differing = sorted(
        name
        for name, weights in ours.items()
        if name not in theirs or theirs[name].shape != weights.shape
    )
    if differing:
        raise ModelFileError(
            f"{path}: expected a model of the same form, got other shapes of {', '.join(differing)}"
        )
    return theirs


def _cer(
    exportable: Exportable,
    weights: Weights,
    sets: Sequence[DevSet],
    what: str,
    say: Callable[[str], None],
) -> float:
    """Pooled CER of `weights` on the dev sets, and a line about it."""
    exportable.model.load_state_dict(weights)
    spec = exportable.spec
    rates = {
        dev.name: validation.evaluate(exportable.model, dev, spec.features, spec.alphabet).rates
        for dev in sets
    }
    cer = pooled_cer(list(rates.values()))
    each = ", ".join(f"{name} {100 * one.cer:.1f}" for name, one in rates.items())
    say(f"{what}: dev CER {100 * cer:.1f} % ({each})")
    return cer
