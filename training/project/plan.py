"""How a model is to learn from so many hours: stages, epochs, batches and rates."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from otoscope.errors import ModelFileError
from otoscope.features import FeatureSpec
from otoscope.vocabulary import Alphabet
from training.config import (
    AugmentConfig,
    CorpusConfig,
    LoopConfig,
    LossConfig,
    ModelConfig,
    OptimiserConfig,
    Source,
    TrainingConfig,
)
from training.project.sounds import Sounds
from training.weights.pretrained import encoder_width

EncoderSize = Literal["tiny", "base", "small"]
_SIZES: dict[int, EncoderSize] = {384: "tiny", 512: "base", 768: "small"}

_WHISPER = FeatureSpec(kind="whisper", n_fft=400, preemphasis=0.0, log_guard=1e-10)
_LITTLE_H, _SOME_H = 3.0, 15.0
_PHONEME_WEIGHT = 0.2
_LEAST_DROPOUT, _LEAST_TIME_MASKS_PER_S = 0.1, 0.4
"""Of a model that goes on, perhaps from a stage without: little speech is soon known by heart."""
_FROM_NOTHING = 8000
_HEAD, _ENCODER = 2500, 1500
_ADAPTED = 1500
"""Steps that a stage takes: all layers from nothing; those above an encoder; some of it as well;
another model's."""


@dataclass(frozen=True)
class Goal:
    """What a model is to be.

    Attributes:
        hours: of speech to learn from.
        dev, noise: whether there are such manifests.
        sounds: phonemes to learn as a second task, or None.
    """

    name: str
    language: str
    alphabet: Alphabet
    hours: float
    dev: bool = True
    noise: bool = False
    sounds: Sounds | None = None


@dataclass(frozen=True)
class Stage:
    """One configuration.

    Attributes:
        words: what it does, for the head of its file.
    """

    config: TrainingConfig
    words: str


def from_nothing(goal: Goal) -> list[Stage]:
    """One stage: a small network, all of which is new."""
    little = goal.hours < _LITTLE_H
    loop, optimiser = _schedule(goal, _FROM_NOTHING, (20, 150), (15.0, 80.0), 1.5e-3)
    model = ModelConfig(
        hidden=192 if little else 256 if goal.hours < _SOME_H else 320,
        dropout=0.3 if little else 0.2,
    )
    config = replace(
        _base(goal),
        model=model,
        augment=replace(_augment(goal), time_masks_per_s=0.8 if little else 0.4),
        optimiser=optimiser,
        loss=LossConfig(consistency_weight=0.2 if little else 0.0),
        loop=replace(loop, sorted_epochs=1),
    )
    config = _sounding(goal, config)
    return [Stage(config, "The only stage: a small network that begins with nothing.")]


def from_encoder(goal: Goal, size: EncoderSize, start: str) -> list[Stage]:
    """Two stages: recurrent layers above a frozen encoder, then its upper half as well.

    Args:
        goal: what it is to be.
        size: of Whisper's encoder.
        start: its weights, as a path from the configurations.
    """
    top = ModelConfig(encoder="whisper", encoder_size=size).encoder_shape[2]
    little = goal.hours < _LITTLE_H
    model = ModelConfig(
        encoder="whisper",
        encoder_size=size,
        row_stride=2,
        frozen_layers=top,
        hidden=256 if little else 320,
        layers=2,
        dropout=0.25 if little else 0.15,
    )
    base = _sounding(goal, replace(_base(goal), features=_WHISPER, model=model))
    masks = replace(_augment(goal), frequency_masks=0, time_masks_per_s=0.6)
    loop, optimiser = _schedule(goal, _HEAD, (6, 60), (20.0, 60.0), 1e-3)
    head = replace(
        base,
        start=start,
        augment=replace(masks, max_time_mask_frames=8),
        optimiser=optimiser,
        loop=loop,
    )
    loop, optimiser = _schedule(goal, _ENCODER, (4, 30), (20.0, 60.0), 5e-4)
    whole = replace(
        base,
        start="stage-1/best.pt",
        model=replace(base.model, frozen_layers=top // 2),
        augment=replace(masks, max_time_mask_frames=16),
        optimiser=replace(optimiser, encoder_share=0.2, encoder_decay=0.8),
        loop=loop,
    )
    return [
        Stage(head, "The first stage: the layers above a frozen encoder, whose outputs are kept."),
        Stage(whole, "The second stage: the encoder's upper half learns, too."),
    ]


def from_model(goal: Goal, model: TrainingConfig, start: str) -> list[Stage]:
    """One stage: another model of this project goes on with this speech."""
    loop, optimiser = _schedule(goal, _ADAPTED, (3, 30), (20.0, 60.0), 4e-4)
    if goal.sounds is None:
        model = replace(
            model,
            model=replace(model.model, phoneme_layer=0),
            loss=replace(model.loss, phoneme_weight=0.0),
        )
    else:
        model = replace(model, phonemes=goal.sounds.phonemes)
    config = replace(
        model,
        name=goal.name,
        language=goal.language,
        alphabet=goal.alphabet,
        start=start,
        corpus=_base(goal).corpus,
        optimiser=replace(
            optimiser,
            encoder_share=model.optimiser.encoder_share,
            encoder_decay=model.optimiser.encoder_decay,
        ),
        loop=loop,
        model=replace(model.model, dropout=max(model.model.dropout, _LEAST_DROPOUT)),
        augment=replace(
            model.augment,
            time_masks_per_s=max(model.augment.time_masks_per_s, _LEAST_TIME_MASKS_PER_S),
        ),
    )
    return [Stage(config, f"The only stage: {start} goes on with this speech.")]


def _base(goal: Goal) -> TrainingConfig:
    corpus = CorpusConfig(
        train=(Source("train.jsonl"),),
        dev=("dev.jsonl",) if goal.dev else (),
        noise="noise.jsonl" if goal.noise else "",
        pronunciations=goal.sounds.pronunciations if goal.sounds else "",
    )
    return TrainingConfig(corpus, name=goal.name, language=goal.language, alphabet=goal.alphabet)


def _sounding(goal: Goal, config: TrainingConfig) -> TrainingConfig:
    """With a phoneme head below the last recurrent layer, if there are phonemes."""
    if goal.sounds is None:
        return config
    return replace(
        config,
        phonemes=goal.sounds.phonemes,
        model=replace(config.model, phoneme_layer=config.model.layers - 1),
        loss=replace(config.loss, phoneme_weight=_PHONEME_WEIGHT),
    )


def _augment(goal: Goal) -> AugmentConfig:
    return AugmentConfig(
        noise_probability=0.3 if goal.noise else 0.0,
        max_warp=0.1,
        room_probability=0.25,
        band_probability=0.1,
    )


def _schedule(
    goal: Goal,
    steps: int,
    epochs: tuple[int, int],
    batch_s: tuple[float, float],
    peak: float,
) -> tuple[LoopConfig, OptimiserConfig]:
    """As many epochs as make about so many steps, within bounds; warm-up is a tenth of them."""
    seconds = goal.hours * 3600
    wanted_s = min(max(seconds / 100, batch_s[0]), batch_s[1])
    an_epoch = max(1, math.ceil(seconds / wanted_s))
    times = min(max(round(steps / an_epoch), epochs[0]), epochs[1])
    total = an_epoch * times
    loop = LoopConfig(
        epochs=times, batch_s=float(round(wanted_s)), sorted_epochs=0, precision="fp32"
    )
    return loop, OptimiserConfig(
        peak_learning_rate=peak,
        warmup_steps=max(10, total // 10),
        average_decay=round(min(0.998, max(0.9, 1 - 10 / total)), 4),
    )


def fit_into(stages: list[Stage], hours: list[float], most_h: float) -> list[Stage]:
    """Fewer epochs, if the stages are estimated to take more hours than there are."""
    share = most_h / max(sum(hours), 1e-9)
    if share >= 1:
        return stages
    return [_shortened(stage, share) for stage in stages]


def without_speeds(stages: list[Stage]) -> list[Stage]:
    """The same without speed perturbation: a frozen encoder reads all speech once at each speed."""
    return [
        replace(
            stage,
            config=replace(stage.config, corpus=replace(stage.config.corpus, speeds=(1.0,))),
        )
        for stage in stages
    ]


def _shortened(stage: Stage, share: float) -> Stage:
    loop, optimiser = stage.config.loop, stage.config.optimiser
    epochs = max(1, round(loop.epochs * share))
    warmup = max(10, round(optimiser.warmup_steps * epochs / loop.epochs))
    config = replace(
        stage.config,
        loop=replace(loop, epochs=epochs),
        optimiser=replace(optimiser, warmup_steps=warmup),
    )
    return replace(stage, config=config)


def size_of(encoder: Path) -> EncoderSize:
    """Of Whisper's encoder in a file or folder.

    Raises:
        ModelFileError: if it is none, or of a size that is not supported.
    """
    width = encoder_width(encoder)
    if width not in _SIZES:
        raise ModelFileError(
            f"{encoder}: expected Whisper's {', '.join(_SIZES.values())}, got an encoder of {width}"
        )
    return _SIZES[width]
