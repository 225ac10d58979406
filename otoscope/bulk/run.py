"""A run of a job, from its sources to its summary."""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from otoscope.bulk import cluster
from otoscope.bulk.piece_files import PieceFiles
from otoscope.bulk.plan import Look, Plan, make_plan
from otoscope.bulk.progress import JobProgress
from otoscope.bulk.rendering import readable
from otoscope.bulk.settings import Job
from otoscope.bulk.store import Store, find_sources, on_disk
from otoscope.bulk.summary import Summary, count_of
from otoscope.bulk.table import Table
from otoscope.bulk.transcriber import Report
from otoscope.errors import AudioError
from otoscope.local_model import LocalModel
from otoscope.spec import ModelSpec

_USUAL_COST = 0.1
"""CPU seconds per second of audio, if there is nothing to measure."""

_MEASURED_S = 20.0
"""Seconds of audio to measure."""

_LOOKS_MEASURED = 20

Say = Callable[[str], None]
"""Called with lines for the user."""


@dataclass
class _Tally:
    """Results of a run so far.

    Attributes:
        summary: counts.
        unread: sources without a row, with kind and text of their error: the next run retries
            them.
        processor_s: CPU seconds used.
    """

    summary: Summary
    unread: list[tuple[str, str, str]] = field(default_factory=list)
    processor_s: float = 0.0

    def add(self, report: Report) -> None:
        """Count the results of a task."""
        self.summary.done += report.done
        self.summary.audio_s += report.audio_s
        self.summary.failed += report.problems
        self.processor_s += report.processor_s
        for one in report.unread:
            self.add_unread(*one)

    def add_unread(self, source: str, kind: str, problem: str) -> None:
        """Count a source without a row."""
        self.summary.failed[kind] += 1
        self.unread.append((source, kind, problem))


def run(job: Job, given: Sequence[str], address: str | None, workers: int | None, say: Say) -> int:
    """Transcribe all sources that have no row yet; returns how many have failed.

    Args:
        job: options, and the place of rows.
        given: arguments of `find_sources`.
        address: of a Ray cluster; None for this machine.
        workers: actors with a CPU each; None for the number of CPUs.
        say: called with progress, errors and the summary.

    Raises:
        OtoscopeError, OSError: if the run can't start.
    """
    started_s = time.monotonic()
    sources = find_sources(given)
    store, fingerprint = Store(job.out), job.fingerprint()
    store.check()
    table, pieces = Table(store, fingerprint), PieceFiles(store, fingerprint)
    model = LocalModel(job.model, job.lm)
    workers = cluster.start(address, workers)
    try:
        looks = _look(sources, model.recognizer.spec, workers, say)
        cost = _measured_cost(model, job, looks)
        del model
        plan = make_plan(looks, table.held(), pieces.keys(), cost, workers)
        say(_intention(plan, cost, workers))
        tally = _Tally(Summary(held=plan.held, copies=plan.copies))
        for unread in plan.unread:
            tally.add_unread(unread.source, *(unread.problem or ("file", "")))
        _transcribe(job, plan, workers, tally, say)
        _join(job, plan, pieces, workers, tally)
    finally:
        cluster.stop()
    table.held()  # removes duplicates that another run may have written
    for source, _, problem in tally.unread:
        say(f"{source}: {problem}")
    lines = tally.summary.lines(time.monotonic() - started_s, tally.processor_s)
    _keep(store, tally, lines)
    for line in lines:
        say(line)
    return tally.summary.failed.total()


def _look(sources: Sequence[str], spec: ModelSpec, workers: int, say: Say) -> list[Look]:
    say(f"inspecting {count_of(len(sources), 'recording')} with {count_of(workers, 'worker')}")
    found = {look.source: look for look in cluster.look(sources, spec, workers)}
    return [found[source] for source in sources]


def _measured_cost(model: LocalModel, job: Job, looks: Sequence[Look]) -> float:
    """CPU seconds per second of audio of the first recordings; also checks the options."""
    audio_s = took_s = 0.0
    short = [one for one in looks if one.problem is None and len(one.parts_s) == 1]
    for look in short[:_LOOKS_MEASURED]:
        if audio_s >= _MEASURED_S:
            break
        started_s = time.process_time()
        try:
            with on_disk(look.source) as path:
                audio_s += model.transcribe(path, job.decoding, job.style).duration_s
        except (AudioError, OSError):
            continue
        took_s += time.process_time() - started_s
    return took_s / audio_s if audio_s else _USUAL_COST


def _intention(plan: Plan, cost: float, workers: int) -> str:
    hours = plan.audio_s / 3600
    left = timedelta(seconds=round(plan.audio_s * cost / workers))
    tasks, on = count_of(len(plan.tasks), "task"), count_of(workers, "worker")
    return (
        f"{tasks} with {hours:,.2f} h of audio; at {cost:.3f} CPU s per second of audio, about "
        f"{left} on {on}"
    )


def _transcribe(job: Job, plan: Plan, workers: int, tally: _Tally, say: Say) -> None:
    """Do all tasks."""
    if not plan.tasks:
        return
    with JobProgress(plan.audio_s, say) as progress:
        for report in cluster.transcribe(job, plan.tasks, workers):
            tally.add(report)
            progress.add(report.audio_s)


def _join(job: Job, plan: Plan, pieces: PieceFiles, workers: int, tally: _Tally) -> None:
    """Write rows of long recordings; those with a missing part are left to the next run."""
    there = pieces.keys()
    whole = [task for task in plan.long if all(piece.key in there for piece in task)]
    if whole:
        for report in cluster.join_parts(job, whole, workers):
            tally.add(report)


def _keep(store: Store, tally: _Tally, lines: Sequence[str]) -> None:
    """Write the results of the run: `runs/TIME-ID.json`."""
    named = [
        {"source": readable(source), "kind": kind, "problem": problem}
        for source, kind, problem in tally.unread
    ]
    counts = {**vars(tally.summary), "processor_s": tally.processor_s}
    document = {"summary": counts, "lines": list(lines), "unread": named}
    name = f"runs/{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}.json"
    store.write(name, json.dumps(document, indent=1, ensure_ascii=False).encode())
