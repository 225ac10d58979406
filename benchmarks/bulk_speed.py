"""How much of a bare model's speed the workers of `otoscope bulk` have."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.bulk_archive import Row, parts_of, rows_of_part
from benchmarks.bulk_job import Job
from otoscope.cli.local_backend import path_of
from otoscope.decoding.options import DecodingOptions
from otoscope.local_model import LocalModel

_ROUNDS = 2
_WORKERS = (1, 2)


def ratios(folder: Path, files: Sequence[Path]) -> Row:
    """Of one and two workers, in turn with the bare model's, on the same recordings.

    Args:
        folder: for results; new.
        files: recordings.
    """
    some = folder / "some"
    some.mkdir(parents=True)
    for path in files:
        (some / path.name).symlink_to(path)
    bare: list[Speed] = []
    of_bare: dict[str, list[float]] = {}
    for number in range(_ROUNDS):
        bare.append(_bare(files))
        for workers in _WORKERS:
            speed = _of_workers(some, folder / f"{workers}-{number}", workers)
            for kind in ("wall", "processor"):
                ratio = getattr(speed, kind) / getattr(bare[-1], kind)
                of_bare.setdefault(f"{workers}_per_{kind}_s", []).append(ratio)
    return {
        "load_while_measured": os.getloadavg(),
        "bare_audio_s_per_wall_s": [round(one.wall, 2) for one in bare],
        "bare_audio_s_per_processor_s": [round(one.processor, 2) for one in bare],
        "per_worker_of_bare": {
            name: [round(one, 3) for one in each] for name, each in of_bare.items()
        },
        "per_worker_of_bare_median": {
            name: round(median(each), 3) for name, each in of_bare.items()
        },
    }


@dataclass(frozen=True)
class Speed:
    """Seconds of audio that one model hears.

    Attributes:
        wall: in a second.
        processor: in a second of a processor, whatever else the machine does.
    """

    wall: float
    processor: float


def _bare(files: Sequence[Path]) -> Speed:
    """Of one model in one thread."""
    model = LocalModel(path_of(None), None)
    model.transcribe(files[0], DecodingOptions(), None)  # the first takes longer
    wall_s, processor_s, audio_s = time.monotonic(), time.process_time(), 0.0
    for path in files:
        audio_s += model.transcribe(path, DecodingOptions(), None).duration_s
    return Speed(
        audio_s / (time.monotonic() - wall_s), audio_s / (time.process_time() - processor_s)
    )


def _of_workers(archive: Path, out: Path, workers: int) -> Speed:
    """Of each worker of a job; by the clock from its first parts to its last: Ray has started."""
    Job.start(archive, out, workers).process.wait()
    parts = parts_of(out)
    took_s = parts[-1].stat().st_mtime - parts[workers - 1].stat().st_mtime
    early, later = (
        [row for part in some for row in rows_of_part(part)]
        for some in (parts[:workers], parts[workers:])
    )
    later_s = sum(row["duration_s"] or 0.0 for row in later)
    everything_s = later_s + sum(row["duration_s"] or 0.0 for row in early)
    processor_s = sum(row["processor_s"] for row in [*early, *later])
    return Speed(later_s / took_s / workers, everything_s / processor_s)
