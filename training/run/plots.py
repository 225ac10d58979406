"""Pictures of a run: its curves, and the posteriors of a few dev utterances as it learns."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otoscope.clock import FrameClock
from otoscope.features import FeatureMatrix
from otoscope.plots.posteriorgram import draw_posteriorgram
from otoscope.posteriors import Posteriors
from training.config import TrainingConfig
from training.data.prepare import DevSet
from training.model.network import AcousticModel
from training.run.metrics_log import History
from training.run.validation import recognize

_EXAMPLES = 2
_EXAMPLE_S = 4.0
_LOSSES = {
    "loss": "characters",
    "phoneme_loss": "phonemes",
    "intermediate_loss": "characters of the lower head",
}


def save_pictures(
    folder: Path,
    history: History,
    model: AcousticModel,
    dev: Sequence[DevSet],
    config: TrainingConfig,
    *,
    epoch: int,
) -> None:
    """Draw `curves.png` and `pictures/utterance-N-epoch-NNN.png` of the first dev set."""
    draw_curves(history).savefig(folder / "curves.png", dpi=110)
    (folder / "pictures").mkdir(exist_ok=True)
    spec = config.features
    for first in dev[:1]:
        for number, place in enumerate(_spread(first, _EXAMPLE_S / spec.hop_s), 1):
            matrix = first.features(place, spec)
            [heads] = recognize(model, first, [place], spec)
            clock = FrameClock(config.model.frame_stride * spec.hop_s, len(matrix) * spec.hop_s)
            figure = draw_posteriorgram(
                FeatureMatrix(matrix, spec),
                Posteriors(heads.characters, config.alphabet, clock),
                title=f"“{first.texts[place]}”, epoch {epoch}",
            )
            figure.savefig(folder / "pictures" / f"utterance-{number}-epoch-{epoch:03d}.png")


def draw_curves(history: History) -> Figure:
    """Losses, dev CER (and PER) and learning rate over the steps."""
    figure = Figure(figsize=(10, 8), layout="constrained")
    loss, cer, rate = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    loss.plot(*history.series("loss"), color="0.8", linewidth=0.6, label="a step")
    for key, label in _LOSSES.items():
        _draw_mean(loss, *history.series(key), label)
    loss.set(ylabel="CTC loss, nats a symbol", yscale="log")
    loss.legend(frameon=False)
    for kind, style, unit in (("cer/", "-", ""), ("per/", "--", ", phonemes")):
        for key in sorted({key for row in history.rows for key in row if key.startswith(kind)}):
            steps, errors = history.series(key)
            label = key.removeprefix(kind) + unit
            cer.plot(steps, 100 * np.array(errors), style, marker="o", markersize=3, label=label)
    cer.set(ylabel="dev error rate, %", ylim=(0, None))
    if cer.lines:
        cer.legend(frameon=False)
    rate.plot(*history.series("learning_rate"), color="C2")
    rate.set(ylabel="learning rate", xlabel="optimiser steps")
    for axes in (loss, cer, rate):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    return figure


def _draw_mean(axes: Axes, steps: list[int], values: list[float], label: str) -> None:
    """A running mean, once there are values enough for one."""
    window = 50
    if len(values) >= window:
        smooth = np.convolve(values, np.ones(window) / window, mode="valid")
        axes.plot(steps[window - 1 :], smooth, label=f"{label}, mean of {window} steps")


def _spread(dev: DevSet, best_frames: float) -> list[int]:
    """Places of a few utterances of about that length, from different parts of the set."""
    frames = dev.pack.frames[list(dev.indices)]
    parts = np.array_split(np.arange(len(dev.indices)), min(_EXAMPLES, len(dev.indices)))
    return [int(part[np.argmin(np.abs(frames[part] - best_frames))]) for part in parts]
