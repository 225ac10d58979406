"""Features as a picture: time to the right, frequency upwards."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otoscope.clock import SpanS
from otoscope.features import FeatureMatrix, FeatureSpec
from otoscope.plots.figure import LABEL_PT, add_colorbar, extent_s, new_figure

_HEIGHT_IN = 2.4
_TICKS_HZ = (500, 1000, 2000, 4000, 8000, 16000)
_PERCENTILES = (1, 99.5)
"""Ends of the colour scale, so that a few loud or silent cells do not make the rest grey."""


def draw_features(features: FeatureMatrix, *, span_s: SpanS | None = None) -> Figure:
    """Features alone.

    Args:
        features: of a recording.
        span_s: the part that is drawn; by default all of it.
    """
    span_s = span_s or (0.0, features.clock.duration_s)
    figure, [axes] = new_figure(span_s, (_HEIGHT_IN,), title=None)
    draw_features_in(figure, axes, features, span_s)
    return figure


def draw_features_in(figure: Figure, axes: Axes, features: FeatureMatrix, span_s: SpanS) -> None:
    """Features in a panel, with their colour bar."""
    spec, clock = features.spec, features.clock
    rows = clock.frames_touching(span_s, features.values.shape[0])
    shown = features.values[rows]
    low, high = np.percentile(shown, _PERCENTILES)
    image = axes.imshow(
        shown.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=low,
        vmax=max(high, low + 1e-3),
        extent=(*extent_s(rows, clock), -0.5, spec.bins - 0.5),
        interpolation="nearest",
    )
    axes.set_xlim(*span_s)
    if spec.has_mel_bins:
        inside = [hz for hz in _TICKS_HZ if 0 <= mel_bin(hz, spec) <= spec.bins - 1]
        axes.set_yticks([mel_bin(hz, spec) for hz in inside], [f"{hz / 1000:g}" for hz in inside])
        axes.set_ylabel("frequency (kHz)", fontsize=LABEL_PT)
    else:
        axes.set_ylabel("cepstral coefficient", fontsize=LABEL_PT)
    # The other ways to normalise subtract a bin's mean and divide by its deviation.
    unit = "log-mel, 40 dB" if spec.kind == "whisper" else "standard deviations"
    add_colorbar(figure, axes, image, unit)


def mel_bin(hz: float, spec: FeatureSpec) -> float:
    """The bin, counted from 0, of a mel filter that would be centred on this frequency.

    The scale is that of the filterbank, Slaney's (Auditory Toolbox, 1998): linear below 1 kHz,
    logarithmic above. Filter i is centred i + 1 steps of n_mels + 1 above `low_hz`.
    """
    low, at, high = (_mel(each) for each in (spec.low_hz, hz, spec.high_hz))
    return (at - low) / (high - low) * (spec.n_mels + 1) - 1


def _mel(hz: float) -> float:
    linear_hz, mels_per_hz = 1000.0, 3 / 200
    if hz < linear_hz:
        return hz * mels_per_hz
    return float(linear_hz * mels_per_hz + 27 * np.log(hz / linear_hz) / np.log(6.4))
