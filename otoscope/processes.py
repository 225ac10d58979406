"""Processes beside this one, each running a module of this package."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_MATRIX_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start_module(name: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401
    """Run a module in a new process, which sees the same modules as this one.

    It computes with one thread, and signals from the terminal don't reach it.

    Args:
        name: the module's, in full.
        arguments: its command line.
        options: more of `subprocess.Popen`'s.

    Raises:
        OSError: if it can't be started.
    """
    return subprocess.Popen(  # noqa: S603 - this Python, and a module of this package
        [sys.executable, "-P", "-m", name, *arguments],
        start_new_session=True,
        env={
            **os.environ,
            **dict.fromkeys(_MATRIX_THREADS, "1"),
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        },
        **options,
    )
