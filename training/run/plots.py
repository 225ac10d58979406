"""Pictures of a run: its curves, and what the model makes of a few dev utterances as it learns."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otoscope import features as front_end
from otoscope.features import FeatureMatrix, Features
from otoscope.plots.posteriorgram import draw_posteriorgram
from otoscope.posteriors import FrameClock, LogProbs, Posteriors
from training.config import TrainingConfig
from training.data.prepare import FRAMES_PER_S, DevSet
from training.model.network import AcousticModel
from training.run.metrics_log import History
from training.run.validation import dev_log_probs

_EXAMPLES = 2
_LOSSES = {
    "loss": "characters",
    "phoneme_loss": "phonemes",
    "intermediate_loss": "characters of the lower head",
}


class Reporter:
    """Draws `curves.png` and `pictures/NAME-epoch-NNN.png` into a run's folder."""

    def __init__(self, folder: Path, dev: list[DevSet], config: TrainingConfig) -> None:
        self._folder = folder
        self._dev = dev
        self._config = config

    def draw(self, history: History, model: AcousticModel, epoch: int) -> None:
        """Bring the curves up to date and picture a few utterances of the first dev set."""
        draw_curves(history).savefig(self._folder / "curves.png", dpi=110)
        pictures = self._folder / "pictures"
        pictures.mkdir(parents=True, exist_ok=True)
        if not self._dev:
            return
        dev = self._dev[0]
        places = _spread(dev)
        log_probs = dev_log_probs(model, dev, places, self._config.features)
        for number, (place, row) in enumerate(zip(places, log_probs, strict=True), 1):
            matrix = front_end.finish(dev.pack[dev.indices[place]], self._config.features)
            figure = draw_posteriorgram(
                FeatureMatrix(matrix, self._config.features),
                self._posteriors(row, matrix),
                title=f"“{dev.texts[place]}”, epoch {epoch}",
            )
            figure.savefig(pictures / f"utterance-{number}-epoch-{epoch:03d}.png")

    def _posteriors(self, log_probs: LogProbs, matrix: Features) -> Posteriors:
        frame_s = self._config.model.frame_stride * self._config.features.hop_s
        clock = FrameClock(frame_s, matrix.shape[0] / FRAMES_PER_S)
        return Posteriors(log_probs, self._config.alphabet, clock)


def draw_curves(history: History) -> Figure:
    """Losses, dev CER (and PER) and learning rate over the steps."""
    figure = Figure(figsize=(10, 8), layout="constrained")
    loss, cer, rate = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    steps, values = history.series("loss")
    loss.plot(steps, values, color="0.8", linewidth=0.6, label="a step")
    for key, label in _LOSSES.items():
        _draw_mean(loss, *history.series(key), label)
    loss.set(ylabel="CTC loss, nats a symbol", yscale="log")
    loss.legend(frameon=False)
    for kind, style in (("cer/", "-"), ("per/", "--")):
        for key in sorted({key for row in history.rows for key in row if key.startswith(kind)}):
            at, errors = history.series(key)
            label = key[4:] + (", phonemes" if kind == "per/" else "")
            cer.plot(at, 100 * np.array(errors), style, marker="o", markersize=3, label=label)
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


def _spread(dev: DevSet) -> list[int]:
    """Places of a few utterances of about four seconds, from different parts of the set."""
    frames = dev.pack.frames[list(dev.indices)]
    parts = np.array_split(np.arange(len(dev.indices)), min(_EXAMPLES, len(dev.indices)))
    return [int(part[np.argmin(np.abs(frames[part] - 400))]) for part in parts]
