"""`otoscope bulk` in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def bulk(archive, out, model, *more):
    """The ended process."""
    command = [sys.executable, "-m", "otoscope.bulk", archive, "--out", out, "--model", model]
    return subprocess.run(
        [str(one) for one in [*command, *more]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
