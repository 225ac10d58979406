"""The table of a job: Parquet, one row per recording, in parts that are written atomically."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from otoscope.bulk.plan import Piece
from otoscope.bulk.rendering import readable
from otoscope.bulk.store import Store
from otoscope.posteriors import LogProbs
from otoscope.schemas import ModelName, TranscriptAnswer

_WORD = pa.struct(
    [
        ("word", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("confidence", pa.float64()),
    ]
)
SCHEMA = pa.schema(
    [
        ("source", pa.string()),  # path or URL
        ("copies", pa.list_(pa.string())),  # other sources of the same content
        ("sha256", pa.string()),  # of the content
        ("size_bytes", pa.int64()),
        ("duration_s", pa.float64()),
        ("text", pa.string()),  # as heard; null if there is a problem
        ("written", pa.string()),  # null without a punctuation model
        ("confidence", pa.float64()),
        ("words", pa.list_(_WORD)),
        ("decoder", pa.string()),
        ("warnings", pa.list_(pa.string())),
        ("problem_kind", pa.string()),  # null if there is a text
        ("problem", pa.string()),
        ("model", pa.string()),
        ("model_sha256", pa.string()),
        ("processor_s", pa.float64()),
        ("frame_s", pa.float64()),
        ("classes", pa.int32()),  # columns of the posteriors
        ("posteriors", pa.large_binary()),  # P(c | x_t), rows of little-endian float16
    ]
)


class Table:
    """The rows of one job in a store: `transcripts/job=.../part-....parquet`."""

    def __init__(self, store: Store, job: str) -> None:
        """Open it, without reading or writing.

        Args:
            store: its place.
            job: the fingerprint of model and options.
        """
        self._store = store
        self._folder = f"transcripts/job={job[:16]}"

    def write(self, name: str, rows: Sequence[dict[str, Any]]) -> None:
        """Write a part; one of the same name has the same rows, and is replaced."""
        table = pa.Table.from_pylist(list(rows), SCHEMA)
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        self._store.write(self._file(name), file.getvalue())

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return self._store.exists(self._file(name))

    def rows(self, name: str, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The rows of a part."""
        return self._read(self._file(name), columns)

    def held(self) -> set[str]:
        """SHA-256 of the contents that have rows.

        Also repairs the table. A part that can't be read comes from an interrupted write to a
        store, and is deleted. A content may be in two parts if workers of a killed run were still
        writing when the next one began: the first row stays.
        """
        seen: set[str] = set()
        for path, contents in self._parts():
            twice = seen.intersection(contents)
            if twice:
                rows = [row for row in self._read(path) if row["sha256"] not in twice]
                self._store.remove(path)
                if rows:
                    self.write(path.rpartition("/part-")[2].removesuffix(".parquet"), rows)
            seen.update(contents)
        return seen

    def _parts(self) -> Iterator[tuple[str, list[str]]]:
        """Paths of parts, and the contents in each."""
        for path in self._store.names(self._folder):
            if not path.endswith(".parquet"):
                continue
            try:
                contents = [row["sha256"] for row in self._read(path, ["sha256"])]
            except pa.ArrowInvalid:
                self._store.remove(path)
                continue
            yield path, contents

    def _read(self, path: str, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        body = io.BytesIO(self._store.read(path))
        found: list[dict[str, Any]] = pq.read_table(body, columns=columns).to_pylist()
        return found

    def _file(self, name: str) -> str:
        return f"{self._folder}/part-{name}.parquet"


def text_row(
    piece: Piece, answer: TranscriptAnswer, processor_s: float, probs: LogProbs | None
) -> dict[str, Any]:
    """The row of a recording.

    Args:
        piece: the recording.
        answer: its transcription.
        processor_s: CPU seconds used.
        probs: (frames, classes) float32, P(c | x_t); None for none.
    """
    words = [
        one.model_dump(include={"word", "start_s", "end_s", "confidence"}) for one in answer.words
    ]
    row = _of_piece(piece, answer.model, processor_s)
    row |= answer.model_dump(include={"duration_s", "text", "written", "confidence", "decoder"})
    row |= {"words": words, "warnings": list(answer.warnings), "frame_s": answer.frame_s}
    if probs is not None:
        row |= {"classes": probs.shape[1], "posteriors": probs.astype("<f2").tobytes()}
    return row


def problem_row(
    piece: Piece, kind: str, problem: str, model: ModelName, processor_s: float
) -> dict[str, Any]:
    """The row of a file that can't be transcribed."""
    return _of_piece(piece, model, processor_s) | {"problem_kind": kind, "problem": problem}


def posteriors_of(row: dict[str, Any]) -> LogProbs:
    """(frames, classes) float16 of a row that has them."""
    return np.frombuffer(row["posteriors"], dtype="<f2").reshape(-1, row["classes"])


def _of_piece(piece: Piece, model: ModelName, processor_s: float) -> dict[str, Any]:
    first, *others = map(readable, piece.sources)
    return {
        "source": first,
        "copies": others,
        "sha256": piece.sha256,
        "size_bytes": piece.size_bytes,
        "model": model.name,
        "model_sha256": model.sha256,
        "processor_s": processor_s,
    }
