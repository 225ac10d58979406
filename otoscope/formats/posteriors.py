"""Posteriors -> the part of them that is asked for, as JSON, CSV, npy or PNG."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from otoscope.arrays import Floats, Ints
from otoscope.clock import SpanS
from otoscope.errors import ViewError
from otoscope.features import FeatureMatrix
from otoscope.formats import MatrixFormat
from otoscope.formats.tables import csv_lines, to_csv, to_json, to_npy
from otoscope.plots import posteriorgram_png
from otoscope.posteriors import LogProbs, Posteriors, Unit
from otoscope.vocabulary import BLANK_NAME, SymbolSet

_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]

_DECIMALS = 6

DISPLAY_NAMES = {" ": "space", BLANK_NAME: "blank"}
"""Names, for callers and CSV, of what is hard to write or see there."""


class Span(BaseModel):
    """A part of a recording, by time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_s: _Seconds | None = Field(
        default=None, description="Frames centred at or after this time, in seconds."
    )
    to_s: _Seconds | None = Field(
        default=None,
        description="Frames centred before this time, in seconds, not beyond the recording's end.",
    )


class ViewOptions(Span):
    """What to select of a recording's posteriors."""

    unit: Unit = Field(
        default="character",
        description="What the columns are; phonemes need a model that has a phoneme head.",
    )
    symbols: list[str] = Field(
        default=[],
        description="Only these columns, in this order: separated by commas or given repeatedly; "
        "`space` and `blank` are names for the space and the CTC blank. All by default. A row of "
        "some columns sums to less than 1.",
        examples=[["a,b,space,blank"]],
    )
    top_k: int | None = Field(
        default=None,
        ge=1,
        description="Of each frame only the k most probable symbols, most probable first (json "
        "and csv).",
    )


_EVERYTHING = ViewOptions()


@dataclass(frozen=True)
class View:
    """A part of a recording's posteriors.

    Attributes:
        posteriors: of the whole recording.
        unit: which head.
        span_s: start and end of the part, in seconds.
        rows: its frames.
        columns: its classes, in this order.
        top_k: how many of the columns in each frame, most probable first; None for all in order.
    """

    posteriors: Posteriors
    unit: Unit
    span_s: SpanS
    rows: slice
    columns: tuple[int, ...]
    top_k: int | None

    @property
    def log_probs(self) -> LogProbs:
        """Of the head, (frames T', classes V) float32, natural log, the whole recording."""
        return self.posteriors.head(self.unit)[0]

    @property
    def symbols(self) -> SymbolSet:
        """What the head's classes mean."""
        return self.posteriors.head(self.unit)[1]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [self.symbols.class_names[column] for column in self.columns]

    @property
    def times_s(self) -> Floats:
        """(rows,) the centres of the frames, in seconds."""
        return self.posteriors.clock.centers_s(self.rows)

    @cached_property
    def probs(self) -> LogProbs:
        """P(symbol | frame), (rows, columns) float32."""
        # All of it first: vectors of another length may round the last bit differently.
        return np.ascontiguousarray(np.exp(self.log_probs)[self.rows][:, self.columns])

    def top(self) -> tuple[Ints, LogProbs]:
        """Indices into `columns` and probabilities of the most probable, both (rows, top_k)."""
        order = np.argsort(-self.probs, axis=1, kind="stable")[:, : self.top_k]
        return np.ascontiguousarray(order), np.take_along_axis(self.probs, order, axis=1)


def select(posteriors: Posteriors, selection: ViewOptions = _EVERYTHING) -> View:
    """The selected part; by default all characters.

    Raises:
        NoPhonemesError: if phonemes are selected and there are none.
        ViewError: if there is no such time or symbol, or fewer symbols than `top_k`.
    """
    log_probs, symbols = posteriors.head(selection.unit)
    columns = _columns(selection.symbols, symbols)
    top_k = selection.top_k
    if top_k is not None and top_k > len(columns):
        raise ViewError(
            f"top_k: expected at most {len(columns)} (the number of symbols), got {top_k}"
        )
    span_s, rows = posteriors.clock.part(log_probs.shape[0], selection.from_s, selection.to_s)
    return View(posteriors, selection.unit, span_s, rows, columns, top_k)


def write(
    view: View,
    form: MatrixFormat,
    fields: Mapping[str, Any],
    features: Callable[[], FeatureMatrix],
) -> bytes:
    """A view as a file.

    Args:
        view: what is written.
        form: the file's format; only json and csv heed `top_k`.
        fields: come first in JSON.
        features: of the recording; called for a picture only.
    """
    if form == "json":
        return to_json({**fields, **probs_document(view)})
    if form == "csv":
        return probs_csv(view)
    if form == "npy":
        return to_npy(view.probs)
    return posteriorgram_png(
        features(),
        view.posteriors,
        phonemes=view.unit == "phoneme",
        columns=view.columns,
        span_s=view.span_s,
    )


def probs_document(view: View) -> dict[str, Any]:
    """The fields of `ProbsMatrix`; matrices and vectors are still arrays.

    Rounding moves each probability by 5e-7 at most, so the sum of a row of V by V times that.
    """
    probs, indices = view.probs, {}
    if view.top_k is not None:
        order, probs = view.top()
        indices = {"indices": order}
    return {
        "unit": view.unit,
        "symbols": view.names,
        "frame_s": view.posteriors.clock.frame_s,
        "start_s": float(view.times_s[0]),
        "shape": probs.shape,
        **_blank(view),
        "entropy_nats": _rounded(_entropy_nats(view.log_probs[view.rows])),
        **indices,
        "probs": _rounded(probs),
    }


def probs_csv(view: View) -> bytes:
    """A column a symbol; with `top_k` two a rank, the symbol and its probability."""
    names = [_display_name(name) for name in view.names]
    if view.top_k is None:
        return to_csv(names, view.times_s, _rounded(view.probs))
    order, probs = view.top()
    cells = np.empty((len(order), 1 + 2 * view.top_k), dtype=object)
    cells[:, 0] = view.times_s
    cells[:, 1::2] = np.array(names, dtype=object)[order]
    cells[:, 2::2] = _rounded(probs).astype(np.str_)
    header = [f"{what}_{rank + 1}" for rank in range(view.top_k) for what in ("symbol", "prob")]
    return csv_lines([["time_s", *header], *cells.tolist()])


def _columns(wanted: Sequence[str], symbols: SymbolSet) -> tuple[int, ...]:
    """Classes of the symbols that are named; all of them if none is."""
    if not wanted:
        return tuple(range(symbols.size))
    index_of = {name: index for index, name in enumerate(symbols.class_names)}
    for name, index in list(index_of.items()):
        index_of.setdefault(_display_name(name), index)
    # A comma, too, may be a symbol.
    names = [n for value in wanted for n in ([value] if value in index_of else value.split(","))]
    for name in names:
        if name not in index_of:
            known = ", ".join(_display_name(each) for each in symbols.class_names)
            raise ViewError(f"symbols: expected some of {known:.300}, got {name[:80]!r}")
    columns = tuple(index_of[name] for name in names)
    if len(set(columns)) < len(columns):
        raise ViewError(f"symbols: expected each once, got {', '.join(names):.300}")
    return columns


def _display_name(name: str) -> str:
    return DISPLAY_NAMES.get(name, name)


def _blank(view: View) -> dict[str, Any]:
    """How much of the whole recording is the blank's."""
    blank = view.symbols.blank_index
    probs = np.exp(view.log_probs[:, blank]).astype(np.float64)
    summary = {
        "mean": probs.mean(),
        "median": np.median(probs),
        "min": probs.min(),
        "max": probs.max(),
    }
    return {
        "blank_share": round(float((view.log_probs.argmax(axis=1) == blank).mean()), _DECIMALS),
        "blank_prob": {name: round(float(of), _DECIMALS) for name, of in summary.items()},
    }


def _entropy_nats(log_probs: LogProbs) -> LogProbs:
    """(frames,) entropy of each frame's distribution over all classes, natural log.

    Shannon 1948: 0 where one class is certain, ln V where all are alike.
    """
    # A class without probability adds nothing, though its logarithm is infinite.
    finite = np.maximum(log_probs, np.finfo(np.float32).min)
    entropy: LogProbs = -(np.exp(log_probs) * finite).sum(axis=1)
    return np.maximum(entropy, 0.0)


def _rounded(values: LogProbs) -> LogProbs:
    return np.ascontiguousarray(np.round(values, _DECIMALS), dtype=np.float32)
