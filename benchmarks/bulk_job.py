"""`otoscope bulk` in a process of its own, watched from outside."""

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.bulk_archive import Row, rows_of

_LOOK_EVERY_S = 2.0
_SETTLED_S = 20.0
"""After it a worker has its model in memory, and has used it."""

_SLOPE_SAMPLES = 10
"""A slope is told of no fewer."""


@dataclass
class Job:
    """A job that runs.

    Attributes:
        process: the driver.
        private_mib: of each worker, by its id: seconds since the job began, and MiB of memory that
            is shared with no other process.
    """

    process: subprocess.Popen[bytes]
    private_mib: dict[int, list[tuple[float, float]]]
    _started_s: float = field(default_factory=time.monotonic)

    @classmethod
    def start(
        cls, archive: Path, out: Path, workers: int, *more: str, before: Sequence[str] = ()
    ) -> "Job":
        """Begin, or go on; what it says is added to OUT.log.

        Args:
            archive: what to transcribe.
            out: where to.
            workers: how many.
            *more: arguments.
            before: the command that runs it; none for this machine's own.
        """
        command = [*before, sys.executable, "-m", "otoscope.bulk", archive, "--out", out]
        with out.with_suffix(".log").open("ab") as log:
            arguments = [str(one) for one in (*command, "--workers", workers, *more)]
            return cls(subprocess.Popen(arguments, stderr=log), defaultdict(list))

    def family(self) -> list[psutil.Process]:
        """All that the driver has started."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def workers(self) -> list[psutil.Process]:
        """Actors with a model."""
        return [one for one in self.family() if "MapWorker" in title_of(one)]

    def until(self, done: int, out: Path) -> None:
        """Wait for so many rows, or the end."""
        while self.process.poll() is None and len(rows_of(out)) < done:
            time.sleep(_LOOK_EVERY_S)
            self._measure()

    def _measure(self) -> None:
        now_s = time.monotonic() - self._started_s
        for worker in self.workers() if self.process.poll() is None else ():
            try:
                memory = worker.memory_info()
            except psutil.Error:  # it has ended
                continue
            self.private_mib[worker.pid] += [(now_s, (memory.rss - memory.shared) / 2**20)]

    def memory(self) -> list[Row]:
        """How much of it each worker had, and what came to it with time, by least squares."""
        found = []
        for samples in self.private_mib.values():
            begun_s = samples[0][0] + _SETTLED_S
            later = np.array([one for one in samples if one[0] >= begun_s])
            if len(later) < _SLOPE_SAMPLES:
                continue
            slope, _ = np.polyfit(later[:, 0], later[:, 1], 1)
            found.append(
                {
                    "watched_s": round(later[-1, 0] - later[0, 0]),
                    "first_mib": round(later[0, 1], 1),
                    "last_mib": round(later[-1, 1], 1),
                    "most_mib": round(later[:, 1].max(), 1),
                    "mib_a_minute": round(slope * 60, 2),
                }
            )
        return found


def title_of(process: psutil.Process) -> str:
    """Its command, and what it is; nothing once it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
