"""A punctuation model written by hand: pauses decide on marks, and the word "london" is capital."""

from pathlib import Path

import numpy as np
from tiny_onnx import FLOAT, INT64, Node, model

from otoscope.written.features import COLUMNS, word_rows
from otoscope.written.punctuator import SPEC_KEY
from otoscope.written.spec import CASES, MARKS, PunctuationSpec

SPEC = PunctuationSpec(
    name="pauses",
    table_rows=4096,
    pause_edges_s=(0.1, 0.5),
    window_words=8,
    overlap_words=4,
    lexicon={"mcdonald": "McDonald"},
)


def write_pause_punctuator(path: Path, spec: PunctuationSpec = SPEC) -> Path:
    """A comma after a pause of 0.1 s, a full stop after one of 0.5 s, nothing after others."""
    cases = np.zeros((spec.table_rows, len(CASES)), dtype=np.float32)
    cases[:, CASES.index("lower")] = 1
    for word, case in (("london", "capital"), ("bbc", "upper"), ("mcdonald", "mixed")):
        cases[word_rows([word], spec.table_rows)[0, :2], CASES.index(case)] = 9
    marks = np.full((spec.pause_classes, len(MARKS)), -9, dtype=np.float32)
    for pause, mark in enumerate(["", "", ",", "."]):
        marks[pause, MARKS.index(mark)] = 0
    nodes = [
        Node("Gather", ["cases", "words"], ["of_rows"]),
        Node("ReduceSum", ["of_rows", "columns"], ["case_log_probs"], {"keepdims": 0}),
        Node("Gather", ["marks", "pauses"], ["mark_log_probs"]),
    ]
    batch = ["windows", "words"]
    data = model(
        nodes,
        [
            ("words", INT64, [*batch, COLUMNS]),
            ("pauses", INT64, batch),
            ("lengths", INT64, ["windows"]),
        ],
        [
            ("case_log_probs", FLOAT, [*batch, len(CASES)]),
            ("mark_log_probs", FLOAT, [*batch, len(MARKS)]),
        ],
        {"cases": cases, "marks": marks, "columns": np.array([2], dtype=np.int64)},
        {SPEC_KEY: spec.to_json()},
    )
    path.write_bytes(data)
    return path
