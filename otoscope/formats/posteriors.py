"""Posteriors -> the part of them that is asked for, as JSON, CSV or npy."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from otoscope.errors import NoPhonemesError, ViewError
from otoscope.formats.tables import Timeline, csv_lines, times_s, to_csv, to_json, to_npy
from otoscope.posteriors import LogProbs, Posteriors
from otoscope.schemas import Unit
from otoscope.vocabulary import BLANK_NAME, SymbolSet

__all__ = [
    "Part",
    "Span",
    "View",
    "document",
    "matrix",
    "probs_csv",
    "probs_npy",
    "select",
    "to_json",
]

_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]

_DECIMALS = 6
_PLAIN_NAMES = {" ": "space", BLANK_NAME: "blank"}
"""Names, for callers and CSV, of what is hard to write or see there."""


class Span(BaseModel):
    """A stretch of a recording."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_s: _Seconds | None = Field(
        default=None, description="Frames centred at or after this time, in seconds."
    )
    to_s: _Seconds | None = Field(
        default=None,
        description="Frames centred before this time, in seconds, not beyond the recording's end.",
    )


class Part(Span):
    """What of a recording's posteriors is wanted."""

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


@dataclass(frozen=True)
class View:
    """A part of a recording's posteriors.

    Attributes:
        unit: which head.
        log_probs: of that head, (frames T', classes V) float32, natural log, the whole recording.
        symbols: what its classes mean.
        frame_s: seconds between frames.
        span_s: start and end of the part, in seconds.
        rows: its frames.
        columns: the classes that are wanted, in this order.
        top_k: so many of the columns in each frame, most probable first; None for all in order.
    """

    unit: Unit
    log_probs: LogProbs
    symbols: SymbolSet
    frame_s: float
    span_s: tuple[float, float]
    rows: slice
    columns: tuple[int, ...]
    top_k: int | None

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [self.symbols.class_names[column] for column in self.columns]

    @cached_property
    def probs(self) -> LogProbs:
        """P(symbol | frame), (rows, columns) float32."""
        # All of it first: vectors of another length may round the last bit differently.
        return np.ascontiguousarray(np.exp(self.log_probs)[self.rows][:, self.columns])

    def top(self) -> tuple[npt.NDArray[np.int64], LogProbs]:
        """Places in `columns` and probabilities of the likeliest, both (rows, top_k)."""
        order = np.argsort(-self.probs, axis=1, kind="stable")[:, : self.top_k]
        return np.ascontiguousarray(order), np.take_along_axis(self.probs, order, axis=1)


def select(posteriors: Posteriors, wanted: Part) -> View:
    """The part that is wanted.

    Raises:
        NoPhonemesError: if phonemes are wanted and there are none.
        ViewError: if there is no such time or symbol, or fewer symbols than `top_k`.
    """
    log_probs, symbols = _head(posteriors, wanted.unit)
    clock = posteriors.clock
    timeline = Timeline(clock.frame_s, log_probs.shape[0], clock.duration_s)
    columns = _columns(wanted.symbols, symbols)
    if wanted.top_k is not None and wanted.top_k > len(columns):
        raise ViewError(
            f"top_k: expected at most {len(columns)} (the number of symbols), got {wanted.top_k}"
        )
    return View(
        wanted.unit,
        log_probs,
        symbols,
        clock.frame_s,
        timeline.span_s(wanted.from_s, wanted.to_s),
        timeline.within(wanted.from_s, wanted.to_s),
        columns,
        wanted.top_k,
    )


def matrix(result_id: str | None, posteriors: Posteriors) -> dict[str, Any]:
    """The fields of `ProbsAnswer` for all characters of the whole recording.

    Args:
        result_id: the transcription's; None if it is not kept.
        posteriors: of the recording.
    """
    return {"id": result_id, **document(select(posteriors, Part()))}


def document(view: View) -> dict[str, Any]:
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
        "frame_s": view.frame_s,
        "start_s": float(times_s(view.rows, view.frame_s)[0]),
        "shape": probs.shape,
        **_blank(view),
        "entropy_nats": _rounded(_entropy_nats(view.log_probs[view.rows])),
        **indices,
        "probs": _rounded(probs),
    }


def probs_csv(view: View) -> bytes:
    """A column a symbol; with `top_k` two a rank, the symbol and its probability."""
    times, names = times_s(view.rows, view.frame_s), [_plain(name) for name in view.names]
    if view.top_k is None:
        return to_csv(names, times, _rounded(view.probs))
    order, probs = view.top()
    cells = np.empty((len(times), 1 + 2 * view.top_k), dtype=object)
    cells[:, 0] = times
    cells[:, 1::2] = np.array(names, dtype=object)[order]
    cells[:, 2::2] = _rounded(probs).astype(np.str_)
    header = [f"{what}_{rank + 1}" for rank in range(view.top_k) for what in ("symbol", "prob")]
    return csv_lines([["time_s", *header], *cells.tolist()])


def probs_npy(view: View) -> bytes:
    """P(symbol | frame), (frames, symbols) float32, not rounded."""
    return to_npy(view.probs)


def _head(posteriors: Posteriors, unit: Unit) -> tuple[LogProbs, SymbolSet]:
    """Log-probabilities (frames, classes) float32 and what the classes mean."""
    if unit == "character":
        return posteriors.log_probs, posteriors.alphabet
    if posteriors.phonemes is None:
        raise NoPhonemesError(
            "expected unit=character, got unit=phoneme: "
            "the model of this transcription has no phoneme head"
        )
    return posteriors.phonemes.log_probs, posteriors.phonemes.phonemes


def _columns(wanted: Sequence[str], symbols: SymbolSet) -> tuple[int, ...]:
    """Classes of the symbols that are named; all of them if none is."""
    if not wanted:
        return tuple(range(symbols.size))
    places = {name: place for place, name in enumerate(symbols.class_names)}
    for name, place in list(places.items()):
        places.setdefault(_plain(name), place)
    # A comma, too, may be a symbol.
    names = [n for value in wanted for n in ([value] if value in places else value.split(","))]
    for name in names:
        if name not in places:
            known = ", ".join(_plain(each) for each in symbols.class_names)
            raise ViewError(f"symbols: expected some of {known:.300}, got {name[:80]!r}")
    columns = tuple(places[name] for name in names)
    if len(set(columns)) < len(columns):
        raise ViewError(f"symbols: expected each once, got {', '.join(names):.300}")
    return columns


def _plain(name: str) -> str:
    return _PLAIN_NAMES.get(name, name)


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
