"""A posteriorgram under its log-mel, on one time axis."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otoscope import Recognizer, greedy, load
from otoscope.features import Features
from otoscope.posteriors import Posteriors

_FLOOR = 0.02
"""Posteriors below this share are not named in the picture."""


def draw_posteriorgram(features: Features, posteriors: Posteriors, title: str) -> Figure:
    """Draw one utterance.

    Args:
        features: X, (frames, bins) float32.
        posteriors: of the same recording.
        title: above the picture.
    """
    clock = posteriors.clock
    figure = Figure(
        figsize=(min(max(6.0, 2.2 * clock.duration_s), 24.0), 7.5), layout="constrained"
    )
    heard, spikes, matrix = figure.subplots(3, 1, sharex=True, height_ratios=(2, 1.6, 3.4))
    _draw_features(heard, features, clock.duration_s)
    _draw_spikes(spikes, posteriors)
    _draw_matrix(matrix, posteriors)
    matrix.set_xlabel("seconds")
    figure.suptitle(title, fontsize=12, wrap=True)
    return figure


def picture_recording(recognizer: Recognizer, audio_path: Path, out: Path) -> str:
    """Draw a recording as `recognizer` hears it into `out` (PNG, SVG or PDF); returns the text."""
    spec = recognizer.spec.features
    waveform = load(audio_path, spec.sample_rate_hz, min_samples=spec.window_samples)
    [posteriors] = recognizer.posteriors([waveform.samples])
    text = greedy(posteriors).text
    figure = draw_posteriorgram(recognizer.features(waveform.samples), posteriors, f"“{text}”")
    figure.savefig(out, dpi=110)
    return text


def _draw_features(axes: Axes, features: Features, duration_s: float) -> None:
    low, high = np.percentile(features, (2, 99.5))
    axes.imshow(
        features.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=low,
        vmax=high,
        extent=(0, duration_s, 0, features.shape[1]),
    )
    axes.set_ylabel("log-mel bin")


def _draw_spikes(axes: Axes, posteriors: Posteriors) -> None:
    """One line a symbol; the greedy characters above their spikes, words shaded."""
    clock = posteriors.clock
    times = np.array([clock.centre_s(frame) for frame in range(posteriors.log_probs.shape[0])])
    blank = posteriors.alphabet.blank_index
    probs = posteriors.probs
    axes.plot(times, probs[:, blank], color="0.8", linewidth=0.8)
    for label in range(blank):
        axes.plot(times, probs[:, label], linewidth=1.1)
    transcript = greedy(posteriors)
    for word in transcript.words:
        axes.axvspan(word.start_s, word.end_s, color="C0", alpha=0.08, linewidth=0)
    for character in transcript.characters:
        axes.text(
            (character.start_s + character.end_s) / 2,
            1.04,
            "␣" if character.character == " " else character.character,
            ha="center",
            fontsize=9,
            family="DejaVu Sans Mono",
        )
    axes.set(ylabel="P(c | x)", ylim=(0, 1.2), yticks=(0, 0.5, 1))


def _draw_matrix(axes: Axes, posteriors: Posteriors) -> None:
    clock = posteriors.clock
    frames, classes = posteriors.log_probs.shape
    # imshow draws cells of equal width: frame i from (i - 0.5) to (i + 0.5) frames.
    edges_s = (-0.5 * clock.frame_s, (frames - 0.5) * clock.frame_s)
    axes.imshow(
        np.maximum(posteriors.probs.T, _FLOOR),
        origin="upper",
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=1,
        extent=(*edges_s, classes - 0.5, -0.5),
    )
    names = ["␣" if s == " " else s for s in posteriors.alphabet.symbols]
    axes.set_yticks(range(classes), [*names, "blank"], fontsize=7, family="DejaVu Sans Mono")
    axes.set(ylabel="symbol", xlim=(0, clock.duration_s))
