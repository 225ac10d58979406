"""P(c | x_t) as a picture, below the features that it was computed from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from otoscope import ctc
from otoscope.clock import FrameClock, SpanS
from otoscope.decoding import greedy
from otoscope.features import FeatureMatrix
from otoscope.plots.features import draw_features_in
from otoscope.plots.figure import (
    LABEL_PT,
    RIGHT_IN,
    SYMBOL_PT,
    TICK_PT,
    add_colorbar,
    extent_s,
    new_figure,
)
from otoscope.posteriors import LogProbs, Posteriors
from otoscope.transcript import Word
from otoscope.vocabulary import SymbolSet

_FEATURES_IN, _SPIKES_IN, _ROW_IN = 1.6, 1.25, 0.125
_MIN_ROWS = 6
_SPIKE_PT, _PATH_PT, _EDGE_PT, _DOTTED = 1.1, 0.8, 0.7, (0, (1, 2))
_PATH_COLOR, _WORD_COLOR, _BLANK_COLOR, _SPACE_COLOR = "#d95f02", "0.35", "0.75", "0.4"
_N_COLORS = 7
"""How many of matplotlib's colours are used: the greys after them belong to blank and space."""
_VISIBLE = 0.02
"""Symbols that never reach this probability get no line among the spikes."""


@dataclass(frozen=True)
class _Head:
    """What is drawn of one CTC head.

    Attributes:
        log_probs: (frames T', classes) float32, natural log, of the whole recording.
        symbols: what the classes mean.
        columns: the classes that are drawn, in the order of their rows.
    """

    log_probs: LogProbs
    symbols: SymbolSet
    columns: Sequence[int]

    def label(self, symbol_class: int) -> str:
        """A class's name for people."""
        if symbol_class == self.symbols.blank_index:
            return "blank"
        name = self.symbols.symbols[symbol_class]
        return {" ": "space", "'": "\N{RIGHT SINGLE QUOTATION MARK}"}.get(name, name)

    def color(self, symbol_class: int) -> str:
        """A class's colour among the spikes."""
        if symbol_class == self.symbols.blank_index:
            return _BLANK_COLOR
        space = self.symbols.symbols[symbol_class] == " "
        return _SPACE_COLOR if space else f"C{symbol_class % _N_COLORS}"


def draw_posteriorgram(
    features: FeatureMatrix,
    posteriors: Posteriors,
    *,
    phonemes: bool = False,
    columns: Sequence[int] | None = None,
    span_s: SpanS | None = None,
    words: Sequence[Word] | None = None,
    title: str | None = None,
) -> Figure:
    """Features at the top, P(c | x_t) as lines below, then the posteriorgram with its path.

    Args:
        features: of the recording.
        posteriors: of the same recording.
        phonemes: draw the phoneme head, which `posteriors` must have, instead of the characters.
        columns: the classes that get a row, from the top; all by default.
        span_s: the part that is drawn; by default the recording.
        words: whose boundaries are drawn; by default those of greedy decoding.
        title: above the picture.

    Raises:
        NoPhonemesError: if phonemes are to be drawn and there are none.
    """
    log_probs, symbols = posteriors.head("phoneme" if phonemes else "character")
    head = _Head(log_probs, symbols, range(symbols.size) if columns is None else columns)
    span_s = span_s or (0.0, posteriors.clock.duration_s)
    heights_in = (_FEATURES_IN, _SPIKES_IN, max(_MIN_ROWS, len(head.columns)) * _ROW_IN)
    figure, panels = new_figure(span_s, heights_in, title)
    upper, spikes, matrix = panels
    draw_features_in(figure, upper, features, span_s)
    _draw_spikes(spikes, head, posteriors.clock, span_s)
    _draw_path_names(spikes, head, posteriors.clock, span_s)
    _draw_matrix(figure, matrix, head, posteriors.clock, span_s)
    words = greedy(posteriors).words if words is None else words
    inside = [word for word in words if word.end_s > span_s[0] and word.start_s < span_s[1]]
    _draw_words(panels, inside, span_s)
    _add_key(figure)
    return figure


def _draw_spikes(axes: Axes, head: _Head, clock: FrameClock, span_s: SpanS) -> None:
    """One line a symbol, through the centres of the frames."""
    rows = clock.frames_touching(span_s, head.log_probs.shape[0])
    times_s = clock.centers_s(rows)
    probs = np.exp(head.log_probs[rows])
    for column in head.columns:
        if probs[:, column].max() >= _VISIBLE:
            axes.plot(times_s, probs[:, column], color=head.color(column), linewidth=_SPIKE_PT)
    axes.set(xlim=span_s, ylim=(0, 1.3), yticks=(0, 0.5, 1))
    axes.set_ylabel("P(c | x)", fontsize=LABEL_PT)


def _draw_path_names(axes: Axes, head: _Head, clock: FrameClock, span_s: SpanS) -> None:
    """The symbols of the greedy path, repeats merged and blanks dropped, above their spikes."""
    for run in ctc.runs(head.log_probs.argmax(axis=1).astype(np.int64)):
        middle_s = sum(clock.span_s(run.start, run.stop)) / 2
        if run.label == head.symbols.blank_index or not span_s[0] <= middle_s <= span_s[1]:
            continue
        name = head.symbols.symbols[run.label]
        axes.text(
            middle_s,
            1.06,
            "\N{OPEN BOX}" if name == " " else name,
            color=head.color(run.label),
            clip_on=True,
            fontsize=SYMBOL_PT,
            ha="center",
            va="bottom",
            parse_math=False,
        )


def _draw_matrix(figure: Figure, axes: Axes, head: _Head, clock: FrameClock, span_s: SpanS) -> None:
    """A cell a frame and symbol, and the greedy path through them where its symbol is drawn."""
    rows = clock.frames_touching(span_s, head.log_probs.shape[0])
    log_probs, columns = head.log_probs[rows], list(head.columns)
    image = axes.imshow(
        np.exp(log_probs[:, columns]).T,
        origin="upper",
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=1,
        extent=(*extent_s(rows, clock), len(columns) - 0.5, -0.5),
        interpolation="nearest",
    )
    row_of = np.full(head.symbols.size, np.nan)
    row_of[columns] = np.arange(len(columns))
    axes.step(
        clock.centers_s(rows),
        row_of[log_probs.argmax(axis=1)],
        where="mid",
        color=_PATH_COLOR,
        linewidth=_PATH_PT,
    )
    labels = [head.label(column) for column in columns]
    axes.set_yticks(range(len(columns)), labels, fontsize=SYMBOL_PT, parse_math=False)
    axes.set_ylabel("symbol c", fontsize=LABEL_PT)
    axes.set_xlim(*span_s)
    add_colorbar(figure, axes, image, "P(c | x)")


def _draw_words(panels: Sequence[Axes], words: Sequence[Word], span_s: SpanS) -> None:
    """Each word above the first panel, its start and end through all of them."""
    top = panels[0]
    at_top = top.get_xaxis_transform()
    for word in words:
        start_s, end_s = max(word.start_s, span_s[0]), min(word.end_s, span_s[1])
        for axes in panels:
            color = "white" if axes is top else _WORD_COLOR
            for edge_s in (start_s, end_s):
                axes.axvline(edge_s, color=color, linewidth=_EDGE_PT, linestyle=_DOTTED, zorder=1.5)
        top.plot((start_s, end_s), (1.04, 1.04), transform=at_top, color=_WORD_COLOR, clip_on=False)
        top.text(
            (start_s + end_s) / 2,
            1.07,
            word.word,
            transform=at_top,
            fontsize=TICK_PT,
            ha="center",
            va="bottom",
            parse_math=False,
        )


def _add_key(figure: Figure) -> None:
    """What the lines mean, beside the time axis's name."""
    path = Line2D([], [], color=_PATH_COLOR, linewidth=_PATH_PT)
    edge = Line2D([], [], color=_WORD_COLOR, linewidth=_EDGE_PT, linestyle=_DOTTED)
    width_in, height_in = figure.get_size_inches()
    figure.legend(
        (path, edge),
        ("greedy path", "word boundary"),
        loc="lower right",
        bbox_to_anchor=(1 - RIGHT_IN / width_in, 0.06 / height_in),
        ncols=2,
        fontsize=TICK_PT,
        frameon=False,
        borderaxespad=0,
    )
