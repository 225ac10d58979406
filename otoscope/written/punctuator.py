"""A punctuation model at work: heard words and pauses -> case and punctuation of each word."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Floats, Ints
from otoscope.errors import ModelFileError, SpecError
from otoscope.recognizer import open_session
from otoscope.written.features import COLUMNS, pause_classes, word_rows
from otoscope.written.spec import CASES, MARKS, PunctuationSpec

FILE_NAME = "punctuation.onnx"
"""Beside the acoustic model."""

SPEC_KEY = "otoscope.punctuation"
INPUTS = ("words", "pauses", "lengths")
OUTPUTS = ("case_log_probs", "mark_log_probs")

LogProbs = npt.NDArray[np.float32]

_BATCH = 16


class Punctuation(NamedTuple):
    """Of each word.

    Attributes:
        cases: (words,) int64, places in CASES.
        marks: (words,) int64, places in MARKS.
    """

    cases: Ints
    marks: Ints


class Punctuator:
    """A punctuation model in memory. Safe to call from several threads.

    Attributes:
        spec: the model's facts.
        sha256: of the model file, hexadecimal.
    """

    def __init__(self, path: str | Path, *, threads: int = 1) -> None:
        """Load a model.

        Args:
            path: a punctuation.onnx written by `onnx_export.punctuation`.
            threads: processor threads that one call may use.

        Raises:
            ModelFileError: if it is missing, no ONNX model, or not of `onnx_export.punctuation`.
        """
        self._session, self.sha256 = open_session(Path(path), threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        inputs = tuple(node.name for node in self._session.get_inputs())
        outputs = tuple(node.name for node in self._session.get_outputs())
        if SPEC_KEY not in metadata or (inputs, outputs) != (INPUTS, OUTPUTS):
            raise ModelFileError(
                f"{path}: expected metadata {SPEC_KEY}, inputs {INPUTS} and outputs {OUTPUTS}, "
                f"got {sorted(metadata)}, {inputs} and {outputs}"
            )
        try:
            self.spec = PunctuationSpec.from_json(metadata[SPEC_KEY], source=str(path))
        except SpecError as error:
            raise ModelFileError(str(error)) from error

    def punctuate(self, words: Sequence[str], pauses_s: Floats | None = None) -> Punctuation:
        """The most probable case and punctuation of each word.

        A word is capital after a full stop, whatever the model says of it alone.

        Args:
            words: in the alphabet's symbols, of any number.
            pauses_s: (words,) seconds of silence after each word, NaN where it is not known.

        Raises:
            ValueError: if there are not as many pauses as words.
        """
        if pauses_s is None:
            pauses_s = np.full(len(words), np.nan)
        if pauses_s.shape != (len(words),):
            raise ValueError(f"expected {len(words)} pauses, got {pauses_s.shape}")
        cases, marks = (
            log_probs.argmax(axis=1).astype(np.int64)
            for log_probs in self.log_probs(words, pauses_s)
        )
        lower = cases == CASES.index("lower")
        first = np.concatenate([[True], marks[:-1] == MARKS.index(".")])[: len(words)]
        return Punctuation(np.where(lower & first, CASES.index("capital"), cases), marks)

    def log_probs(self, words: Sequence[str], pauses_s: Floats) -> tuple[LogProbs, LogProbs]:
        """Of the cases, (words, 4) float32, and of the marks, (words, 5) float32; natural log.

        What is longer than a window goes through the model in overlapping ones; each word is read
        from the window in whose middle it is.
        """
        spec = self.spec
        rows = word_rows(words, spec.table_rows)
        pauses = pause_classes(pauses_s, spec.pause_edges_s)
        windows = split(len(words), spec.window_words, spec.overlap_words)
        case_parts = [np.zeros((0, len(CASES)), dtype=np.float32)]
        mark_parts = [np.zeros((0, len(MARKS)), dtype=np.float32)]
        for begin in range(0, len(windows), _BATCH):
            batch = windows[begin : begin + _BATCH]
            case_log_probs, mark_log_probs = self._run(rows, pauses, batch)
            for number, window in enumerate(batch):
                own = slice(window.keep_from - window.start, window.keep_to - window.start)
                case_parts.append(case_log_probs[number, own])
                mark_parts.append(mark_log_probs[number, own])
        return np.concatenate(case_parts), np.concatenate(mark_parts)

    def _run(
        self, rows: Ints, pauses: Ints, windows: Sequence["Window"]
    ) -> tuple[LogProbs, LogProbs]:
        lengths = np.array([window.end - window.start for window in windows], dtype=np.int64)
        words_in = np.zeros((len(windows), lengths.max(), COLUMNS), dtype=np.int64)
        pauses_in = np.zeros(words_in.shape[:2], dtype=np.int64)
        for number, window in enumerate(windows):
            own = slice(window.start, window.end)
            words_in[number, : lengths[number]] = rows[own]
            pauses_in[number, : lengths[number]] = pauses[own]
        case_log_probs, mark_log_probs = self._session.run(
            list(OUTPUTS), {"words": words_in, "pauses": pauses_in, "lengths": lengths}
        )
        return case_log_probs, mark_log_probs


class Window(NamedTuple):
    """Words start..end go through the model, and of these keep_from..keep_to are read."""

    start: int
    end: int
    keep_from: int
    keep_to: int


def split(words: int, size: int, overlap: int) -> list[Window]:
    """Windows over so many words, each word kept once and in order.

    Args:
        words: how many there are.
        size: of a window; the last may be shorter.
        overlap: of neighbours. The seam is in its middle.
    """
    if words == 0:
        return []
    starts = list(range(0, max(1, words - overlap), size - overlap))
    seams = [0, *(start + overlap // 2 for start in starts[1:]), words]
    return [
        Window(start, min(start + size, words), seams[number], seams[number + 1])
        for number, start in enumerate(starts)
    ]
