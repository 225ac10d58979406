"""Beginning a run with what another has learned."""

from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from training import checkpoint, from_onnx
from training.dataset import Batch
from training.model import AcousticModel
from training.normalisation import settle


def begin_with(start: Path, model: AcousticModel, batch: Callable[[], Batch]) -> None:
    """Take over the weights that have the same name and shape; the others stay random.

    Args:
        start: another run's `best.pt`, or a model.onnx.
        model: takes them.
        batch: some of what it is to learn from; normalisation is fitted to it.

    Raises:
        ModelFileError: if `start` is neither.
    """
    theirs = (
        from_onnx.weights_of(start)
        if start.suffix == ".onnx"
        else checkpoint.load_exportable(start).model.state_dict()
    )
    ours = model.state_dict()
    shared = {
        name: weights
        for name, weights in theirs.items()
        if name in ours and ours[name].shape == weights.shape
    }
    model.load_state_dict(ours | shared)
    if any(name.startswith("convolutions.") for name in shared):
        speech = batch()
        settle(model, speech.features, speech.lengths)
    fresh = ", ".join(sorted(ours.keys() - shared.keys())) or "none"
    tqdm.write(f"starting from {start}: {len(shared)} weights taken, new: {fresh}")
