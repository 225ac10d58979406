"""Training on the tones of tests/training, as one calls it."""

import os
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "training"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def fit_arguments(config: Path, tones: Path, run: Path) -> list[str]:
    cache = str(tones / "cache")
    where = ["--corpus", str(tones), "--cache", cache, "--run", str(run), "--threads", "1"]
    return ["fit", str(config), *where]
