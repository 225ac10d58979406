"""The work of one worker: the recordings of a task become one part of the table.

If a task is repeated because its worker was lost, what that worker has written is kept.
"""

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from otoscope import longform
from otoscope.audio import AudioStream
from otoscope.bulk.piece_files import PieceFiles
from otoscope.bulk.pieces import moved, samples_of_part
from otoscope.bulk.plan import Piece, Task, name_of
from otoscope.bulk.rendering import readable, render
from otoscope.bulk.settings import Job
from otoscope.bulk.store import Store, on_disk
from otoscope.bulk.summary import kind_of
from otoscope.bulk.table import Table, problem_row, text_row
from otoscope.errors import AudioError, OtoscopeError, WorkerLostError
from otoscope.formats import FORMATS
from otoscope.local_model import LocalModel, sha256_of
from otoscope.posteriors import LogProbs
from otoscope.recognizer import Recognition
from otoscope.schemas import TranscriptAnswer

ATTEMPTS = 3
"""Attempts at a recording whose workers are lost."""

_NAME_BYTES = 230
"""Of a recording's name in the names of its further formats: file systems take 255 in all."""


class ChangedError(OtoscopeError):
    """A source has changed since the job was planned."""

    slug = "source-changed"


@dataclass
class Report:
    """The results of a task.

    Attributes:
        done: recordings transcribed; parts of long ones are not counted.
        audio_s: seconds of audio, parts included.
        processor_s: CPU seconds used.
        problems: files that can't be transcribed, by kind of error.
        unread: sources without a row, with kind and text of their error: the next run retries them.
    """

    done: int = 0
    audio_s: float = 0.0
    processor_s: float = 0.0
    problems: Counter[str] = field(default_factory=Counter)
    unread: list[tuple[str, str, str]] = field(default_factory=list)


class Transcriber:
    """A model in memory, and the place of results."""

    def __init__(self, job: Job) -> None:
        """Load the model.

        Raises:
            OtoscopeError: if the model or the place can't be used.
        """
        self._job = job
        self._model = LocalModel(job.model, job.lm)
        fingerprint = job.fingerprint()
        self._store = Store(job.out)
        self._table = Table(self._store, fingerprint)
        self._pieces = PieceFiles(self._store, fingerprint)

    def do(self, task: Task, begin: Callable[[str], int]) -> Report:
        """Do a task; errors of its recordings are reported, not raised.

        Args:
            task: its pieces.
            begin: called with a piece's key before each attempt; returns the number of attempts.
        """
        name = name_of(task)
        whole = task[0].parts == 1
        if whole and self._table.has(name):
            return _report(task, self._table.rows(name, ["sha256", "problem_kind", "duration_s"]))
        report, rows = Report(), []
        for piece in task:
            started_s = time.process_time()
            try:
                rows += self._rows(piece, begin, started_s)
            except Exception as error:  # noqa: BLE001 - others go on
                report.unread.append((piece.sources[0], *_described(error)))
            else:
                report.audio_s += piece.audio_s
            report.processor_s += time.process_time() - started_s
        try:
            if rows:
                self._table.write(name, rows)
        except OSError as error:  # a store that refuses now may take it in the next run
            report.unread += [(row["source"], *_described(error)) for row in rows]
            return report
        counted = _report((), rows)
        return replace(report, done=counted.done, problems=counted.problems)

    def _rows(
        self, piece: Piece, begin: Callable[[str], int], started_s: float
    ) -> list[dict[str, Any]]:
        """The row of a recording, none for a part; raises errors that are not about the content."""
        try:
            answer, probs = self._transcribe(piece, begin)
        except AudioError as error:
            spent_s = time.process_time() - started_s
            if piece.parts > 1:
                self._pieces.write_problem(piece, error, self._model.name)
                return []
            return [problem_row(piece, error.slug, str(error), self._model.name, spent_s)]
        spent_s = time.process_time() - started_s
        if piece.parts > 1:
            self._pieces.write(piece, answer, spent_s, probs)
            return []
        write_also(self._store, self._job, piece, answer)
        return [text_row(piece, answer, spent_s, probs)]

    def _transcribe(
        self, piece: Piece, begin: Callable[[str], int]
    ) -> tuple[TranscriptAnswer, LogProbs | None]:
        if begin(piece.key) > ATTEMPTS:
            raise WorkerLostError(
                f"expected a text, but {ATTEMPTS} workers died while they recognized it"
            )
        with on_disk(piece.sources[0]) as path:
            if (found := sha256_of(path)) != piece.sha256:
                raise ChangedError(
                    f"expected the content {piece.sha256}, as when the job was planned, got {found}"
                )
            if piece.parts == 1:
                start_s, recognition = 0.0, self._model.recognize(path)
            else:
                start_s, recognition = self._recognize_part(path, piece.part)
        answer = self._model.transcript(recognition, self._job.decoding, self._job.style)
        probs = recognition.posteriors.probs if self._job.posteriors else None
        return moved(answer, start_s) if start_s else answer, probs

    def _recognize_part(self, path: Path, part: int) -> tuple[float, Recognition]:
        """Its start in seconds, and its posteriors; only the last part has all warnings."""
        spec = self._model.recognizer.spec
        stream = AudioStream(path, spec.features.sample_rate_hz, max_duration_s=math.inf)
        samples, start_s = samples_of_part(stream, spec, part)
        recognition = longform.recognize(self._model.recognizer, [samples])
        return start_s, replace(recognition, warnings=stream.warnings)


def join(job: Job, task: Task) -> Report:
    """Write the row of a long recording whose parts are done."""
    store, fingerprint = Store(job.out), job.fingerprint()
    table, pieces = Table(store, fingerprint), PieceFiles(store, fingerprint)
    row, answer = pieces.row(task)
    if answer is not None:
        write_also(store, job, task[0], answer)
    table.write(name_of(task), [row])
    pieces.remove(task)
    return replace(_report((), [row]), audio_s=0.0)


def write_also(store: Store, job: Job, piece: Piece, answer: TranscriptAnswer) -> None:
    """Write the further formats of a job: `FORMAT/NAME-HASH.SUFFIX`."""
    source = readable(piece.sources[0])
    stem = PurePosixPath(source).stem.encode()[:_NAME_BYTES].decode(errors="ignore")
    name = f"{stem}-{piece.sha256[:12]}"
    for form in job.also:
        body = render(answer, form, source if form == "json" else None)
        store.write(f"{form}/{name}{FORMATS[form].suffix}", body)


def _described(error: Exception) -> tuple[str, str]:
    """The kind of an error, and its text."""
    if isinstance(error, OtoscopeError | OSError):
        return kind_of(error), str(error)
    return "unexpected", f"{type(error).__name__}: {error}"


def _report(task: Task, rows: list[dict[str, Any]]) -> Report:
    """The results in rows; pieces of the task without a row are unread."""
    known = {row["sha256"] for row in rows}
    kinds = [row.get("problem_kind") for row in rows]
    lost = "its worker was lost, and nothing is known of it"
    return Report(
        done=kinds.count(None),
        audio_s=sum(row["duration_s"] or 0.0 for row in rows if "duration_s" in row),
        problems=Counter(kind for kind in kinds if kind is not None),
        unread=[
            (piece.sources[0], WorkerLostError.slug, lost)
            for piece in task
            if piece.sha256 not in known
        ],
    )
