"""Data of a run for its page: texts of the dev sets, and posteriors of examples after each epoch.

`heard.json` has the texts by best.pt. `steps/epoch-NNN.npz` has the posteriors of a few dev
utterances after an epoch, quantized to 8 bits.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from otoscope.atomic_files import replacing
from training.config import TrainingConfig
from training.data.prepare import DevSet
from training.model.network import AcousticModel
from training.run.validation import greedy_text, recognize

MOST_EXAMPLES = 4
EXAMPLE_S = 4.0

Levels = npt.NDArray[np.uint8]  # (output frames, classes): 255 times the probability


@dataclass(frozen=True)
class Example:
    """A dev utterance whose posteriors are kept.

    Attributes:
        dev: its set.
        place: in that set.
    """

    dev: DevSet
    place: int

    @property
    def text(self) -> str:
        """The reference text."""
        return self.dev.texts[self.place]


@dataclass(frozen=True)
class Step:
    """The result of a model for an example after an epoch."""

    epoch: int
    recognized: str
    probs: Levels


@dataclass(frozen=True)
class DevTexts:
    """Texts of the dev sets by the weights of one epoch.

    Attributes:
        epoch: number of epochs trained.
        sets: by a set's name, the reference and the recognized text of each utterance.
    """

    epoch: float
    sets: dict[str, list[tuple[str, str]]]


def examples(dev: Sequence[DevSet], config: TrainingConfig) -> list[Example]:
    """A few utterances of about `EXAMPLE_S` seconds, from different sets and parts of them."""
    sets = [one for one in dev if one.indices][:MOST_EXAMPLES]
    each = MOST_EXAMPLES // max(1, len(sets))
    return [Example(one, place) for one in sets for place in _spread(one, config, each)]


def _spread(dev: DevSet, config: TrainingConfig, count: int) -> list[int]:
    """Places of utterances of about that length, from different parts of the set."""
    row_s = config.features.hop_s * (config.model.encoded_stride if dev.pack.encoded else 1)
    lengths_s = row_s * dev.pack.frames[list(dev.indices)]
    parts = np.array_split(np.arange(len(dev.indices)), min(count, len(dev.indices)))
    return [int(part[np.argmin(np.abs(lengths_s[part] - EXAMPLE_S))]) for part in parts]


def save_step(
    folder: Path, model: AcousticModel, dev: Sequence[DevSet], config: TrainingConfig, epoch: int
) -> None:
    """Write the results of `model` for the examples."""
    kept: dict[str, npt.NDArray[Any]] = {}
    for number, one in enumerate(examples(dev, config)):
        [heads] = recognize(model, one.dev, [one.place], config.features)
        recognized = greedy_text(heads, config.alphabet)
        kept[f"probs-{number}"] = np.rint(255 * np.exp(heads.characters)).astype(np.uint8)
        kept[f"texts-{number}"] = np.array([one.dev.name, str(one.place), one.text, recognized])
    path = folder / "steps" / f"epoch-{epoch:03d}.npz"
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **kept)  # type: ignore[arg-type]


def load_steps(folder: Path, dev: Sequence[DevSet]) -> list[tuple[Example, list[Step]]]:
    """The examples and their steps, in order of the epochs.

    Steps about other texts than those of the dev sets are left out.
    """
    sets = {one.name: one for one in dev}
    found: dict[tuple[str, int], list[Step]] = {}
    for path in sorted((folder / "steps").glob("epoch-*.npz")):
        epoch = int(path.stem.removeprefix("epoch-"))
        with np.load(path, allow_pickle=False) as kept:
            for number in range(len(kept.files) // 2):
                name, place, said, recognized = kept[f"texts-{number}"].tolist()
                if name in sets and said in sets[name].texts[int(place) : int(place) + 1]:
                    step = Step(epoch, recognized, kept[f"probs-{number}"])
                    found.setdefault((name, int(place)), []).append(step)
    return [(Example(sets[name], place), steps) for (name, place), steps in found.items()]


def save_dev_texts(
    folder: Path, dev: Sequence[DevSet], texts: dict[str, list[str]], epoch: int
) -> DevTexts:
    """Write the texts of the dev sets by best.pt."""
    recognized = DevTexts(
        epoch, {one.name: list(zip(one.texts, texts[one.name], strict=True)) for one in dev}
    )
    with replacing(folder / "heard.json") as partial:
        partial.write_text(json.dumps(asdict(recognized), ensure_ascii=False), encoding="utf-8")
    return recognized


def load_dev_texts(folder: Path, dev: Sequence[DevSet]) -> DevTexts | None:
    """The file of `save_dev_texts`; None if there is none, or it is about other texts."""
    path = folder / "heard.json"
    if not path.is_file():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    sets = {name: [(a, b) for a, b in rows] for name, rows in document["sets"].items()}
    same = {one.name: list(one.texts) for one in dev}
    if {name: [said for said, _ in rows] for name, rows in sets.items()} != same:
        return None
    return DevTexts(document["epoch"], sets)
