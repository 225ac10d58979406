"""`python -m benchmarks.bulk`: what `otoscope bulk` promises, tested on a real archive.

An archive of many copies of a corpus, with broken files among them, is transcribed. A worker is
killed in the middle of the job, then the job itself, and the same command is run again. Then every
file must be in the table once, with the text that the service gives. The workers' speed relative to
the model alone is measured in the same run, in turn, on the same recordings.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil

from benchmarks.bulk_archive import (
    BROKEN_PART,
    Row,
    add_broken,
    archive_parser,
    make_archive,
    once,
    rows_of,
)
from benchmarks.bulk_job import Job, title_of
from benchmarks.bulk_speed import ratios
from benchmarks.servers import otoscope_server
from otoscope.cli.local_backend import path_of

_WORKERS = 2
_END_LIMIT_S = 120.0
"""For what a killed job leaves behind."""

_MEASURED = 10
"""Speed is measured on one of so many files."""


def main() -> None:
    """Make the archive, disturb the job, check, measure; exit code 1 if a promise fails."""
    options = archive_parser("python -m benchmarks.bulk", __doc__, 2000, 150, 50).parse_args()
    archive, out = options.folder / "archive", options.folder / "out"
    made = make_archive(archive, options.corpus, options.files, options.distinct)
    broken = add_broken(archive, options.cases, options.broken)
    found: Row = {"files": len(made) + len(broken), "load": os.getloadavg()}
    _add(found, _disturb(archive, out, len(made) + len(broken)))
    rows = rows_of(out)
    _add(found, once(rows, [*made, *broken]))
    _add(found, _same_as_served(rows, made, broken))
    _add(found, ratios(options.folder / "speed", list(made)[::_MEASURED]))
    (options.folder / "proof.json").write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(bool(found["missing"] or found["twice"] or found["other_texts"]))


def _add(found: Row, more: Row) -> None:
    found.update(more)
    print(json.dumps(more, indent=1), file=sys.stderr, flush=True)


def _disturb(archive: Path, out: Path, files: int) -> Row:
    """Kill a worker at a fifth, the job at two fifths, and go on to the end."""
    first = Job.start(archive, out, _WORKERS)
    first.until(files // 5, out)
    first.workers()[0].send_signal(signal.SIGKILL)
    at_worker_kill = len(rows_of(out))
    first.until(2 * files // 5, out)
    family = {one: title_of(one) for one in first.family()}
    at_job_kill = len(rows_of(out))
    first.process.kill()
    first.process.wait()
    left = _left(family)
    part = next((out / "transcripts").rglob("part-*.parquet"))
    half = part.with_name(f"{BROKEN_PART}.parquet")
    half.write_bytes(part.read_bytes()[: part.stat().st_size // 2])  # what a store may leave
    second = Job.start(archive, out, _WORKERS)
    second.until(files * 2, out)
    return {
        "rows_when_a_worker_was_killed": at_worker_kill,
        "rows_when_the_job_was_killed": at_job_kill,
        "processes_of_the_job": len(family),
        "ended_after_the_job_was_killed_s": left,
        "exit_code": second.process.returncode,
        "summary": out.with_suffix(".log").read_text().splitlines()[-4:],
        "memory_of_workers": [*first.memory(), *second.memory()],
    }


def _left(family: dict[psutil.Process, str]) -> Row:
    """When the last of its processes had ended, and what had not in two minutes."""
    started_s = time.monotonic()
    alive, ended_s = list(family), dict[psutil.Process, int]()
    while alive and time.monotonic() - started_s < _END_LIMIT_S:
        gone, alive = psutil.wait_procs(alive, timeout=1)
        ended_s |= {one: round(time.monotonic() - started_s) for one in gone}
    slow = {family[one][:90]: took_s for one, took_s in ended_s.items() if took_s > 1}
    return {"last": max(ended_s.values(), default=0), "after_1_s": slow, "never": len(alive)}


def _same_as_served(rows: Sequence[Row], made: dict[Path, Path], broken: Sequence[Path]) -> Row:
    """How many texts are others than the service's; each sound is sent once."""
    first = {clip: path for path, clip in reversed(made.items())}
    texts: dict[Path, str | None] = {}
    with otoscope_server(path_of(None)) as server, httpx.Client(timeout=600) as client:
        for path in [*first.values(), *broken]:
            answer = client.post(f"{server.url}/transcribe", files={"file": path.read_bytes()})
            if answer.is_server_error:
                answer.raise_for_status()
            texts[path] = answer.json()["text"] if answer.is_success else None
    by_name = {name: row["text"] for row in rows for name in (row["source"], *row["copies"])}
    expected = {path: texts[first[clip]] for path, clip in made.items()}
    expected |= {path: texts[path] for path in broken}
    others = [str(path) for path, text in expected.items() if by_name.get(str(path)) != text]
    return {
        "sounds_sent_to_the_service": len(texts),
        "of_them_with_a_text": sum(text is not None for text in texts.values()),
        "files_compared": len(expected),
        "other_texts": others,
    }


if __name__ == "__main__":
    main()
