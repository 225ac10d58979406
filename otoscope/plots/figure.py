"""Figures: panels of fixed sizes, one below the other, on one time axis."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from otoscope.clock import FrameClock, SpanS

DPI = 150

LABEL_PT, TICK_PT, SYMBOL_PT = 9, 8, 7
"""Font sizes: names of axes; numbers and words; symbols."""
_TITLE_PT = 10

_IN_PER_S = 1.3
_WIDTH_IN = (6.0, 78.0)
"""Least and greatest width of the time axis; seconds get narrower where a minute does not fit."""
LEFT_IN, RIGHT_IN, _TOP_IN, _BOTTOM_IN, _GAP_IN = 0.75, 0.8, 0.4, 0.5, 0.12
_TITLE_IN = 0.25
_NAME_IN = 0.55
"""The vertical axes' names are centred so far from them."""
_TICK_STEPS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
_TICK_IN = 0.75
"""Marks on the time axis are at least so far apart."""
_BAR_IN, _BAR_GAP_IN, _BAR_NAME_IN = 0.12, 0.08, 0.4


def new_figure(
    span_s: SpanS, heights_in: Sequence[float], title: str | None
) -> tuple[Figure, list[Axes]]:
    """A figure with panels of these heights, from the top."""
    axes_in = float(np.clip(_IN_PER_S * (span_s[1] - span_s[0]), *_WIDTH_IN))
    width_in = LEFT_IN + axes_in + RIGHT_IN
    top_in = _TOP_IN + (0 if title is None else _TITLE_IN)
    height_in = top_in + sum(heights_in) + (len(heights_in) - 1) * _GAP_IN + _BOTTOM_IN
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor="white")
    panels: list[Axes] = []
    bottom_in = height_in - top_in + _GAP_IN
    for panel_in in heights_in:
        bottom_in -= panel_in + _GAP_IN
        corner = (LEFT_IN / width_in, bottom_in / height_in)
        axes = figure.add_axes((*corner, axes_in / width_in, panel_in / height_in))
        axes.tick_params(labelsize=TICK_PT, labelbottom=False)
        axes.xaxis.set_major_locator(MultipleLocator(_tick_step_s(span_s, axes_in)))
        axes.yaxis.set_label_coords(-_NAME_IN / axes_in, 0.5)
        panels.append(axes)
    panels[-1].tick_params(labelbottom=True)
    panels[-1].set_xlabel("time (s)", fontsize=LABEL_PT)
    if title is not None:
        figure.text(
            0.5,
            1 - 0.08 / height_in,
            title,
            fontsize=_TITLE_PT,
            ha="center",
            va="top",
            parse_math=False,  # a dollar sign in it is a dollar sign
        )
    return figure, panels


def _tick_step_s(span_s: SpanS, axes_in: float) -> float:
    """Seconds between marks on the time axis."""
    min_step_s = _TICK_IN * (span_s[1] - span_s[0]) / axes_in
    return next((step_s for step_s in _TICK_STEPS_S if step_s >= min_step_s), _TICK_STEPS_S[-1])


def add_colorbar(figure: Figure, axes: Axes, image: ScalarMappable, name: str) -> None:
    """A colour bar at the right of a panel."""
    width_in = figure.get_figwidth()
    box = axes.get_position()
    bar = figure.add_axes((box.x1 + _BAR_GAP_IN / width_in, box.y0, _BAR_IN / width_in, box.height))
    figure.colorbar(image, cax=bar).set_label(name, fontsize=LABEL_PT)
    bar.yaxis.set_label_coords((_BAR_IN + _BAR_NAME_IN) / _BAR_IN, 0.5)
    bar.tick_params(labelsize=TICK_PT)


def extent_s(rows: slice, clock: FrameClock) -> SpanS:
    """From the start of the first frame to the end of the last, beyond the recording's own."""
    return (rows.start - 0.5) * clock.frame_s, (rows.stop - 0.5) * clock.frame_s


def to_png(figure: Figure) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    canvas = FigureCanvasAgg(figure)
    canvas.print_png(buffer, metadata={"Software": "Otoscope"})  # type: ignore[no-untyped-call]
    return buffer.getvalue()
