"""Posteriors and features <-> what a store keeps of them: bytes and one JSON document."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from otoscope import (
    Alphabet,
    FeatureMatrix,
    FeatureSpec,
    FrameClock,
    PhonemePosteriors,
    PhonemeSet,
    Posteriors,
)
from otoscope.strict_json import dump, parse

_DTYPE = np.dtype("<f4")


def pack(values: npt.NDArray[np.float32]) -> memoryview:
    """(rows, columns) float32 -> bytes that `unpack` turns back bit for bit.

    Not compressed: that would save a sixth, and take as long as all other work but the model's.
    Not copied unless it has to be: features of an hour have 115 MB.
    """
    return np.ascontiguousarray(values, dtype=_DTYPE).reshape(-1).view(np.uint8).data


def unpack(blob: bytes, columns: int) -> npt.NDArray[np.float32]:
    """The matrix, of so many columns, that `pack` wrote."""
    return np.frombuffer(blob, dtype=_DTYPE).reshape(-1, columns).astype(np.float32, copy=False)


def write_meta(posteriors: Posteriors, spec: FeatureSpec, model_sha256: str) -> str:
    """All that is not a matrix, as JSON."""
    return json.dumps(
        {
            "symbols": posteriors.alphabet.symbols,
            "phonemes": posteriors.phonemes and posteriors.phonemes.phonemes.symbols,
            "frame_s": posteriors.clock.frame_s,
            "duration_s": posteriors.clock.duration_s,
            "model_sha256": model_sha256,
            "feature_spec": dump(spec),
        }
    )


def read_posteriors(meta: dict[str, Any], characters: bytes, phonemes: bytes | None) -> Posteriors:
    """Posteriors from the document that `write_meta` wrote and the blobs beside it.

    Raises:
        ValueError, KeyError, TypeError: if they are damaged.
    """
    alphabet = Alphabet(tuple(meta["symbols"]))
    log_probs = _distributions(characters, alphabet.size)
    clock = FrameClock(meta["frame_s"], meta["duration_s"])
    spoken = None
    if phonemes is not None:
        names = PhonemeSet(tuple(meta["phonemes"]))
        spoken = PhonemePosteriors(_distributions(phonemes, names.size), names)
    return Posteriors(log_probs, alphabet, clock, spoken)


def _distributions(blob: bytes, columns: int) -> npt.NDArray[np.float32]:
    log_probs = unpack(blob, columns)
    if np.isnan(log_probs).any():
        raise ValueError("expected natural logarithms of probabilities, got NaN")
    return log_probs


def read_features(meta: dict[str, Any], blob: bytes) -> FeatureMatrix:
    """Features from the document that `write_meta` wrote and the blob beside it."""
    spec = parse(FeatureSpec, meta["feature_spec"], "the store's feature_spec", complete=True)
    return FeatureMatrix(unpack(blob, spec.bins), spec)
