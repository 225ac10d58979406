"""Write golden_features.npz: the features of a seeded signal as they are today.

Run it, and say so in CHANGELOG.md, only if the definition of the features is meant to change:
models trained before such a change read other features than they learned.

    python tests/contract/make_golden_features.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from signals import babble

from otoscope.features import FeatureSpec, extract, log_mel

PATH = Path(__file__).with_name("golden_features.npz")
KEPT_FRAMES = slice(0, None, 5)


def compute() -> dict[str, np.ndarray]:
    """Every fifth frame of a second of the signal, (20, bins) float32 each."""
    samples = babble(1.0, seed=2006)
    return {
        "log_mel": log_mel(samples, FeatureSpec())[KEPT_FRAMES],
        "utterance": extract(samples, FeatureSpec())[KEPT_FRAMES],
        "mfcc": extract(samples, FeatureSpec(kind="mfcc"))[KEPT_FRAMES],
    }


if __name__ == "__main__":
    np.savez_compressed(PATH, **compute())
