"""Beginning a run with what another has learned."""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

from tqdm import tqdm

from training.data.dataset import Batch
from training.model.network import AcousticModel
from training.weights import checkpoint, from_onnx, low_rank
from training.weights.batchnorm import settle

BATCHES = 20
"""That bottlenecks are fitted to."""


def begin_with(start: Path, model: AcousticModel, batches: Callable[[], Iterable[Batch]]) -> None:
    """Take over the weights that have the same name and shape; the others stay random.

    A layer with a bottleneck that begins with one without it comes as close to that as it can.

    Args:
        start: another run's `best.pt`, or a model.onnx.
        model: takes them.
        batches: what it is to learn from; normalisation and bottlenecks are fitted to the first.

    Raises:
        ModelFileError: if `start` is neither.
    """
    theirs = (
        from_onnx.weights_of(start)
        if start.suffix == ".onnx"
        else checkpoint.load_exportable(start).model.state_dict()
    )
    if low_rank.wanted(theirs, model):
        theirs = low_rank.narrowed(theirs, model, itertools.islice(batches(), BATCHES))
    ours = model.state_dict()
    shared = {
        name: weights
        for name, weights in theirs.items()
        if name in ours and ours[name].shape == weights.shape
    }
    model.load_state_dict(ours | shared)
    if any(name.startswith("convolutions.") for name in shared):
        speech = next(iter(batches()))
        settle(model, speech.features, speech.lengths)
    fresh = ", ".join(sorted(ours.keys() - shared.keys())) or "none"
    tqdm.write(f"starting from {start}: {len(shared)} weights taken, new: {fresh}")
