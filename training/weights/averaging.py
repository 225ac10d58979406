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
from training.evaluation.metrics import DevScores
from training.model.network import AcousticModel
from training.weights.batchnorm import fold
from training.weights.checkpoint import Exportable
from training.weights.warm_start import read_weights

Weights = dict[str, Tensor]

SHARES = tuple(tenth / 10 for tenth in range(1, 10))


def average(
    first: Exportable,
    others: Sequence[Path],
    evaluate: Callable[[AcousticModel], DevScores],
    say: Callable[[str], None] = tqdm.write,
    *,
    evenly: bool = False,
) -> Exportable:
    """Mix the others' weights into the first's, each with the share that has the lowest CER.

    Args:
        first: what it says of itself stays.
        others: checkpoints or exported models of the same form, one after the other.
        evaluate: measures a model on dev sets.
        say: takes a line for people about each share that is tried.
        evenly: all of them have the same share, whatever their CER.

    Raises:
        ModelFileError: if a file is neither, or of a model of another form, or if there are no dev
            sets to choose by.
    """

    def cer_of(weights: Weights, name: str) -> float:
        first.model.load_state_dict(weights)
        scores = evaluate(first.model)
        if scores.cer is None:
            raise ModelFileError("expected a run with dev manifests, to choose by; got none")
        say(f"{name}: {scores}")
        return scores.cer

    best = fold(first.model.state_dict())
    best_cer = cer_of(best, "the first alone")
    for number, other in enumerate(others, 2):
        theirs = _weights(other, best)
        alone = best
        for share in (1 / number,) if evenly else SHARES:
            mixed = mix(alone, theirs, share)
            cer = cer_of(mixed, f"{100 * share:.0f} % of {other}")
            if evenly or cer < best_cer:
                best, best_cer = mixed, cer
    first.model.load_state_dict(best)
    today = datetime.now(UTC).date().isoformat()
    facts = replace(first.spec.provenance, dev_cer=round(best_cer, 4), created=today)
    return replace(first, spec=replace(first.spec, provenance=facts))


def mix(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], share: float) -> Weights:
    """(1 - share) of ours and `share` of theirs, weight by weight; counters stay ours."""
    return {
        name: weights.lerp(theirs[name], share) if weights.is_floating_point() else weights
        for name, weights in ours.items()
    }


def _weights(path: Path, ours: Mapping[str, Tensor]) -> Weights:
    """Folded weights of another model, under the names and with the shapes of ours."""
    theirs = fold(read_weights(path))
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
