"""Checkpoints that a run resumes from, and the weights to export with the facts about them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from otoscope.atomic_files import replacing
from otoscope.errors import ModelFileError
from otoscope.spec import ModelSpec, Provenance
from otoscope.strict_json import dump, parse
from training.config import TrainingConfig
from training.model.network import AcousticModel, describe, parameter_count, untrained

FORMAT = 1


@dataclass
class Progress:
    """Where a run is.

    Attributes:
        epoch, batch: the next batch to learn from, counted from 0.
        step: optimiser steps so far.
        best_cer: pooled dev CER of the best checkpoint so far.
        audio_s: seconds of audio learned from.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_cer: float = float("inf")
    audio_s: float = 0.0


@dataclass(frozen=True)
class Exportable:
    """Averaged weights and the facts that go with them."""

    model: AcousticModel
    spec: ModelSpec
    config: TrainingConfig


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` whole or not at all."""
    with replacing(path) as partial, partial.open("wb") as file:
        torch.save({"format": FORMAT, **state}, file)


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote.

    Raises:
        ModelFileError: if the file is missing, damaged or of another format.
    """
    if not path.is_file():
        raise ModelFileError(f"expected a checkpoint, got {path}, which does not exist")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile and pickle each raise their own
        raise ModelFileError(f"{path}: expected a checkpoint: {error}") from error
    if state.get("format") != FORMAT:
        raise ModelFileError(f"{path}: expected format {FORMAT}, got {state.get('format')}")
    return state


def save_exportable(path: Path, exportable: Exportable) -> None:
    """Write averaged weights with their ModelSpec and configuration."""
    save(
        path,
        {
            "weights": exportable.model.state_dict(),
            "spec": exportable.spec.to_json(),
            "config": dump(exportable.config),
        },
    )


def load_exportable(path: Path) -> Exportable:
    """Read what `save_exportable` wrote; the model is in evaluation mode."""
    state = load(path)
    if "weights" not in state:
        raise ModelFileError(f"expected best.pt of a run, got {path}, which goes on with a run")
    config = parse(TrainingConfig, state["config"], str(path))
    model = untrained(config)
    model.load_state_dict(state["weights"])
    return Exportable(model.eval(), ModelSpec.from_json(state["spec"], str(path)), config)


def model_spec(
    config: TrainingConfig,
    model: AcousticModel,
    audio_hours: float,
    epochs: float,
    dev_cer: float | None,
) -> ModelSpec:
    """Describe `model` after `epochs` epochs of `audio_hours` hours."""
    return ModelSpec(
        name=config.name,
        features=config.features,
        alphabet=config.alphabet,
        frame_stride=config.model.frame_stride,
        phonemes=config.head_phonemes,
        language=config.language,
        provenance=Provenance(
            architecture=describe(config.model),
            parameters=parameter_count(model),
            audio_hours=round(audio_hours, 2),
            epochs=epochs,
            corpora=tuple(dict.fromkeys(source.manifest for source in config.corpus.train)),
            created=datetime.now(UTC).date().isoformat(),
            dev_cer=None if dev_cer is None else round(dev_cer, 4),
        ),
    )


def require_same(saved: dict[str, Any], wanted: dict[str, Any], path: Path) -> None:
    """Refuse to resume a run under another configuration, naming what differs.

    A setting that came after the run was saved counts as its default. How many epochs there are to
    be may change: the learning rate then falls towards the new end. So may the language, which is
    only told, and the start, which is over.

    Raises:
        ModelFileError: if the two differ.
    """
    complete = dump(parse(TrainingConfig, saved, str(path)))
    complete["loop"] |= {"epochs": wanted["loop"]["epochs"]}
    complete |= {name: wanted[name] for name in ("language", "start")}
    differing = [key for key in wanted if complete[key] != wanted[key]]
    if differing:
        raise ModelFileError(
            f"{path} belongs to a run with other settings in {differing}; "
            "expected the same configuration, or another --run folder"
        )


def began_with(saved: dict[str, Any], asked: str, path: Path) -> str:
    """The weights that a run began with, "" for none; those asked for if its file does not know.

    Raises:
        ModelFileError: if it began with others than those asked for.
    """
    known = saved.get("start", asked)
    if asked and known != asked:
        raise ModelFileError(
            f"{path}: this run has begun with {known or 'no weights'} and goes on from its own; "
            f"expected the same start, or none, or another --run folder, got {asked}"
        )
    return str(known)
