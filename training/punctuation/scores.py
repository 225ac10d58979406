"""How well case and punctuation are told: precision, recall and F1 of marks and of capitals."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from otoscope.arrays import Bools, Floats, Ints
from otoscope.written.punctuator import Punctuation
from otoscope.written.spec import MARKS
from training.punctuation.pauses import draw_pauses
from training.punctuation.text import LabelledText, cases_of, marks_of
from training.punctuation.tokens import LOWER, UNKNOWN_CASE

Predict = Callable[[Sequence[str], Floats | None], Punctuation]
"""Words and pauses, None if there are none, to what is written."""

_NAMES = ("comma", "full stop", "question mark", "exclamation mark")
_PASSAGE_WORDS = 2000
"""About a quarter of an hour of speech."""

_SEED = 0


@dataclass(frozen=True)
class F1:
    """Of one class over all words.

    Attributes:
        name: "comma", ..., "capitals".
        precision: of those that are given, the share that is right; 0 if none is given.
        recall: of those that are due, the share that is given; 0 if none is due.
        due: how many are due.
    """

    name: str
    precision: float
    recall: float
    due: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def score(labels: Punctuation, given: Punctuation) -> list[F1]:
    """Compare word by word; words whose case is not known count for punctuation alone."""
    rows = [
        _f1(name, labels.marks == mark, given.marks == mark) for mark, name in enumerate(_NAMES, 1)
    ]
    known = labels.cases != UNKNOWN_CASE
    rows.append(_f1("capitals", labels.cases[known] != LOWER, given.cases[known] != LOWER))
    return rows


def score_text(predict: Predict, text: LabelledText, most_words: int, *, pauses: bool) -> list[F1]:
    """Score a text in passages of 2000 words.

    Args:
        predict: what is scored.
        text: that it was not trained on.
        most_words: from its beginning.
        pauses: give pauses that are drawn as in training, or none.
    """
    labels = np.asarray(text.labels[:most_words])
    parts = [predict(*passage) for passage in passages(text, most_words, pauses=pauses)]
    cases: Ints = np.concatenate([part.cases for part in parts])
    marks: Ints = np.concatenate([part.marks for part in parts])
    return score(Punctuation(cases_of(labels), marks_of(labels)), Punctuation(cases, marks))


def passages(
    text: LabelledText, most_words: int, *, pauses: bool
) -> Iterator[tuple[list[str], Floats | None]]:
    """Words and drawn pauses, None without pauses, of each 2000 words of a text's beginning."""
    rng = np.random.default_rng(_SEED)
    size = min(most_words, text.words)
    for start in range(0, size, _PASSAGE_WORDS):
        part = slice(start, min(start + _PASSAGE_WORDS, size))
        words = [text.types[number] for number in text.numbers[part].tolist()]
        marks = marks_of(np.asarray(text.labels[part]))
        yield words, draw_pauses(marks[None], rng)[0] if pauses else None


def markdown_table(rows: Iterable[tuple[str, Sequence[F1]]]) -> str:
    """F1 in per cent, a line for each named list of scores."""
    lines = [
        f"| text | {', '.join(_NAMES).replace(', ', ' | ')} | capitals |",
        "|" + "---|" * (len(MARKS) + 1),
    ]
    lines += [
        f"| {name} | " + " | ".join(f"{100 * one.f1:.1f}" for one in scores) + " |"
        for name, scores in rows
    ]
    return "\n".join(lines)


def _f1(name: str, due: Bools, given: Bools) -> F1:
    hits = int((due & given).sum())
    return F1(name, hits / max(1, int(given.sum())), hits / max(1, int(due.sum())), int(due.sum()))
