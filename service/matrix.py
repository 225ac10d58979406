"""Posteriors -> JSON, without a Python loop over their elements."""

from typing import Any

import numpy as np
import orjson

from otoscope import Posteriors
from otoscope.posteriors import LogProbs
from service.errors import NoPhonemesError
from service.schemas import Unit

_DECIMALS = 6


def matrix(result_id: str, posteriors: Posteriors, unit: Unit = "character") -> dict[str, Any]:
    """The fields of `ProbsAnswer`, `probs` still an array (frames, symbols) float32.

    Rounding moves each probability by 5e-7 at most, so the sum of a row of V by V times that.

    Raises:
        NoPhonemesError: if phonemes are wanted and there are none.
    """
    exact, symbols = _columns(posteriors, unit)
    probs = np.ascontiguousarray(np.round(exact, _DECIMALS), dtype=np.float32)
    return {
        "id": result_id,
        "unit": unit,
        "symbols": symbols,
        "frame_s": posteriors.clock.frame_s,
        "shape": probs.shape,
        "probs": probs,
    }


def _columns(posteriors: Posteriors, unit: Unit) -> tuple[LogProbs, tuple[str, ...]]:
    """Probabilities (frames, symbols) float32 and the names of the columns."""
    if unit == "character":
        return posteriors.probs, posteriors.alphabet.class_names
    if posteriors.phonemes is None:
        raise NoPhonemesError(
            "expected unit=character, got unit=phoneme: "
            "the model of this transcription has no phoneme head"
        )
    return posteriors.phonemes.probs, posteriors.phonemes.phonemes.class_names


def to_json(document: dict[str, Any]) -> bytes:
    """JSON of dicts, lists, scalars and numpy arrays."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
