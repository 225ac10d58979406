"""Weights of trained models, read from either file, and what a new run takes over of them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from training.data.dataset import Batch
from training.model.network import AcousticModel
from training.weights import checkpoint, from_onnx
from training.weights.batchnorm import settle
from training.weights.pretrained import is_whisper, load_encoder


def read_weights(path: Path) -> dict[str, Tensor]:
    """Averaged weights of a run's `best.pt` or a model.onnx, under the names of `AcousticModel`.

    Raises:
        ModelFileError: if the file is neither.
    """
    if path.suffix == ".onnx":
        return from_onnx.weights_of(path)
    return checkpoint.load_exportable(path).model.state_dict()


def warm_start(path: Path, model: AcousticModel, batches: Callable[[], Iterable[Batch]]) -> None:
    """Give `model` the weights that have the same name and shape; the others stay random.

    Args:
        path: another run's `best.pt`, a model.onnx, or Whisper's weights (`pretrained`).
        model: takes them.
        batches: of the run; normalisation is fitted to the first.

    Raises:
        ModelFileError: if the file is neither.
    """
    if is_whisper(path):
        load_encoder(path, model.encoder)
        tqdm.write(f"starting from {path}: the encoder's weights taken, all others new")
        return
    theirs = read_weights(path)
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
    tqdm.write(f"starting from {path}: {len(shared)} weights taken, new: {fresh}")
