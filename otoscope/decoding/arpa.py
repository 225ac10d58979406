"""ARPA files, in which other tools write n-gram models, read."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from otoscope.decoding.ngram import NAMES, NgramModel, Ngrams, build_model
from otoscope.errors import ModelFileError

_NEVER = -99.0, 0.0

Entries = dict[tuple[str, ...], tuple[float, float]]
"""Words -> log probability and back-off weight, to base 10."""


def from_arpa(path: Path, spelled: Callable[[str], str] = str) -> NgramModel:
    """Read an ARPA file of any order; n-grams whose parts are missing are left out.

    Args:
        path: of the file.
        spelled: how a word of it is to be spelled; of n-grams that are the same then, the
            likeliest stays.

    Raises:
        ModelFileError: on a line that is none.
    """
    sections: dict[int, Entries] = {1: {}}
    order = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.endswith("-grams:") and line.startswith("\\"):
            order = int(line[1:-7])
            sections.setdefault(order, {})
        elif order and line and not line.startswith("\\"):
            fields = line.split()
            try:
                log_prob, *backoff = map(float, (fields[0], *fields[order + 1 :]))
            except ValueError:
                log_prob, backoff = 0.0, [0.0, 0.0]
            if len(fields) < order + 1 or len(backoff) > 1:
                raise ModelFileError(f"{path}:{number}: expected a {order}-gram, got {line!r}")
            words = tuple(one if one in NAMES else spelled(one) for one in fields[1 : order + 1])
            row = log_prob, sum(backoff)
            sections[order][words] = max(row, sections[order].get(words, row))
    return _from_sections([sections.get(order, {}) for order in range(1, max(sections) + 1)])


def _from_sections(sections: Sequence[Entries]) -> NgramModel:
    unigrams, *longer = sections
    words = sorted(word for (word,) in unigrams if word not in NAMES)
    numbers = {word: number for number, word in enumerate((*NAMES, *words))}
    rows = [unigrams.get((word,), _NEVER) for word in numbers]
    levels: list[Ngrams] = []
    before = set(unigrams)
    for section in longer:
        kept = {
            ngram: row
            for ngram, row in section.items()
            if ngram[:-1] in before and numbers.keys() >= set(ngram)
        }
        before = set(kept)
        levels.append(_level(kept, numbers, len(levels) + 2))
    return build_model(words, np.array(rows) * np.log(10), levels)


def _level(entries: Entries, numbers: Mapping[str, int], length: int) -> Ngrams:
    words = [[numbers[word] for word in ngram] for ngram in entries]
    rows = np.array(list(entries.values())).reshape(-1, 2) * np.log(10)
    return Ngrams(np.array(words, dtype=np.int64).reshape(-1, length), rows[:, 0], rows[:, 1])
