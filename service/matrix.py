"""Posteriors -> JSON, without a Python loop over their elements."""

from typing import Any

import numpy as np
import orjson

from otoscope import Posteriors

_DECIMALS = 6


def matrix(result_id: str, posteriors: Posteriors) -> dict[str, Any]:
    """The fields of `ProbsAnswer`, `probs` still an array (frames, symbols) float32.

    Rounding moves each probability by 5e-7 at most, so the sum of a row of V by V times that.
    """
    probs = np.ascontiguousarray(np.round(posteriors.probs, _DECIMALS), dtype=np.float32)
    return {
        "id": result_id,
        "symbols": posteriors.alphabet.class_names,
        "frame_s": posteriors.clock.frame_s,
        "shape": probs.shape,
        "probs": probs,
    }


def to_json(document: dict[str, Any]) -> bytes:
    """JSON of dicts, lists, scalars and numpy arrays."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
