"""Files of the parts of long recordings, until all parts of a recording are done."""

import json
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from otoscope.bulk.pieces import joined
from otoscope.bulk.plan import Piece, Task
from otoscope.bulk.store import Store
from otoscope.bulk.table import problem_row, text_row
from otoscope.errors import AudioError
from otoscope.posteriors import LogProbs
from otoscope.schemas import ModelName, TranscriptAnswer


class PieceFiles:
    """Parts of long recordings that are done: `pieces/job=.../KEY.json`."""

    def __init__(self, store: Store, job: str) -> None:
        """`store` and `job` as of a `Table`."""
        self._store = store
        self._folder = f"pieces/job={job[:16]}"

    def keys(self) -> set[str]:
        """Keys of the pieces that are done."""
        names = (PurePosixPath(name) for name in self._store.names(self._folder))
        return {name.stem for name in names if name.suffix == ".json"}

    def write(
        self, piece: Piece, answer: TranscriptAnswer, processor_s: float, probs: LogProbs | None
    ) -> None:
        """Write the text of a part; its JSON file comes last and marks it as done."""
        if probs is not None:
            self._store.write(self._file(piece, ".f2"), probs.astype("<f2").tobytes())
        said = {"answer": answer.model_dump(mode="json"), "processor_s": processor_s}
        self._write_said(piece, {**said, "classes": probs.shape[1] if probs is not None else 0})

    def write_problem(self, piece: Piece, error: AudioError, model: ModelName) -> None:
        """Write the error of a part."""
        said = {"problem": [error.slug, str(error)], "model": model.model_dump()}
        self._write_said(piece, said)

    def row(self, task: Task) -> tuple[dict[str, Any], TranscriptAnswer | None]:
        """The row of a recording whose parts are done, and its text unless there is an error."""
        said = [json.loads(self._store.read(self._file(piece, ".json"))) for piece in task]
        for one in said:
            if "problem" in one:
                kind, problem = one["problem"]
                model = ModelName.model_validate(one["model"])
                return problem_row(task[0], kind, problem, model, 0.0), None
        answer = joined([TranscriptAnswer.model_validate(one["answer"]) for one in said])
        processor_s = sum(one["processor_s"] for one in said)
        return text_row(task[0], answer, processor_s, self._probs(task, said[0]["classes"])), answer

    def remove(self, task: Task) -> None:
        """Delete the parts of a recording that has its row."""
        for piece in task:
            for suffix in (".json", ".f2"):
                if self._store.exists(self._file(piece, suffix)):
                    self._store.remove(self._file(piece, suffix))

    def _probs(self, task: Task, classes: int) -> LogProbs | None:
        if not classes:
            return None
        bodies = [self._store.read(self._file(piece, ".f2")) for piece in task]
        return np.frombuffer(b"".join(bodies), dtype="<f2").reshape(-1, classes)

    def _write_said(self, piece: Piece, said: dict[str, Any]) -> None:
        self._store.write(self._file(piece, ".json"), json.dumps(said).encode())

    def _file(self, piece: Piece, suffix: str) -> str:
        return f"{self._folder}/{piece.key}{suffix}"
