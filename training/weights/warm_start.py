"""Weights of trained models, read from either file, and what a new run takes over of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from otoscope.errors import ModelFileError
from otoscope.recognizer import Recognizer
from otoscope.spec import ModelSpec
from otoscope.vocabulary import SymbolSet
from training.config import TrainingConfig
from training.data.dataset import Batch
from training.model.network import AcousticModel
from training.weights import checkpoint, from_onnx
from training.weights.batchnorm import settle
from training.weights.pretrained import is_whisper, load_encoder

_LEAST_SHARE = 0.5
"""Of a network's numbers that a start has to give; of less, the run would begin with noise."""

_CHARACTERS = ("output.", "intermediate_head.output.")
_PHONEMES = ("phoneme_head.output.",)


@dataclass(frozen=True)
class Taken:
    """How much of each part of a network a start has given: (numbers taken, numbers), by part."""

    parts: Mapping[str, tuple[int, int]]

    @property
    def share(self) -> float:
        """Of all numbers, 0 to 1."""
        return sum(one for one, _ in self.parts.values()) / sum(n for _, n in self.parts.values())

    def table(self) -> str:
        """A line for each part, for people."""
        rows = [
            f"  {part:18} {taken:>11,} of {whole:>11,} taken" + " (new)" * (not taken)
            for part, (taken, whole) in self.parts.items()
        ]
        return "\n".join(rows)


def warm_start(
    path: Path,
    model: AcousticModel,
    config: TrainingConfig,
    batches: Callable[[], Iterable[Batch]],
    *,
    force: bool = False,
) -> None:
    """Give `model` the weights that have the same name and shape; the others stay random.

    Of heads over other symbols, the weights of those symbols are taken that both have. What was
    taken is printed.

    Args:
        path: another run's `best.pt`, a model.onnx, or Whisper's weights (`pretrained`).
        model: takes them.
        config: of the run.
        batches: of the run; normalisation is fitted to the first.
        force: take them, too, if they are less than half of the network.

    Raises:
        ModelFileError: if the file is neither, or hardly fits.
    """
    ours = model.state_dict()
    if is_whisper(path):
        if config.model.encoder != "whisper":
            raise ModelFileError(
                f"{path}: expected weights for convolutions, got Whisper's: they need "
                'model.encoder = "whisper"'
            )
        load_encoder(path, model.encoder)
        whole = {name: name.startswith("encoder.") * ours[name].numel() for name in ours}
        tqdm.write(f"starting from {path}:\n{_taken(whole, ours).table()}")
        return
    theirs, spec = read_weights(path)
    counts, merged = dict.fromkeys(ours, 0), dict(ours)
    for name in ours.keys() & theirs.keys():
        old, new = _symbols(name, spec, config)
        if old != new and ours[name].shape[1:] == theirs[name].shape[1:]:
            merged[name], counts[name] = _matched(ours[name], theirs[name], old, new)
        elif ours[name].shape == theirs[name].shape and old == new:
            merged[name], counts[name] = theirs[name], theirs[name].numel()
    taken = _taken(counts, ours)
    if taken.share < _LEAST_SHARE and not force:
        raise ModelFileError(
            f"{path}: expected weights that fit the network of the configuration, got "
            f"{100 * taken.share:.0f} % of it (--force begins with them anyway):\n{taken.table()}"
        )
    model.load_state_dict(merged)
    if any(counts[name] for name in counts if name.startswith("convolutions.")):
        speech = next(iter(batches()))
        settle(model, speech.features, speech.lengths)
    tqdm.write(f"starting from {path}: {100 * taken.share:.0f} % taken\n{taken.table()}")


def start_config(path: Path) -> TrainingConfig:
    """What the run was told whose `best.pt` or model.onnx `path` is."""
    if path.suffix == ".onnx":
        return from_onnx.config_of(path)
    return checkpoint.load_exportable(path).config


def read_weights(path: Path) -> tuple[dict[str, Tensor], ModelSpec]:
    """Averaged weights of a run's `best.pt` or a model.onnx, by `AcousticModel`'s names."""
    if path.suffix == ".onnx":
        return from_onnx.weights_of(path), Recognizer(path).spec
    exportable = checkpoint.load_exportable(path)
    return exportable.model.state_dict(), exportable.spec


def _symbols(
    name: str, spec: ModelSpec, config: TrainingConfig
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the rows of a weight mean there and here; nothing, if they are no classes."""
    sets: tuple[SymbolSet | None, SymbolSet | None] = (None, None)
    if name.startswith(_CHARACTERS):
        sets = spec.alphabet, config.alphabet
    elif name.startswith(_PHONEMES):
        sets = spec.phonemes, config.head_phonemes
    old, new = (() if each is None else each.class_names for each in sets)
    return old, new


def _matched(
    ours: Tensor, theirs: Tensor, old: tuple[str, ...], new: tuple[str, ...]
) -> tuple[Tensor, int]:
    """Our rows with theirs in place of those whose symbol both have, and how many numbers."""
    merged = ours.clone()
    places = {symbol: place for place, symbol in enumerate(old)}
    shared = [place for place, symbol in enumerate(new) if symbol in places]
    merged[shared] = theirs[[places[new[place]] for place in shared]]
    return merged, merged[shared].numel()


def _taken(counts: Mapping[str, int], ours: Mapping[str, Tensor]) -> Taken:
    parts: dict[str, tuple[int, int]] = {}
    for name, weights in ours.items():
        head, *rest = name.split(".")
        part = f"{head}.{rest[0]}" if head == "layers" else head
        taken, whole = parts.get(part, (0, 0))
        parts[part] = (taken + counts[name], whole + weights.numel())
    return Taken(parts)
