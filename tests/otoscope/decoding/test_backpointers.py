"""otoscope.decoding.backpointers: what is pruned is needed by no text."""

import numpy as np
import pytest

from otoscope.decoding import backpointers
from otoscope.decoding.backpointers import Backpointers


def grown(seed, rounds, beam=20, spread=3):
    """Backpointers of a beam whose texts go on at random, the texts, and the most rows it had."""
    generator = np.random.default_rng(seed)
    kept, rows, texts, most = Backpointers(), np.array([0]), [[]], 0
    for _ in range(rounds):
        parents = generator.integers(0, rows.size, size=spread * beam)
        labels = generator.integers(0, 28, size=parents.size)
        made = kept.add(rows[parents], labels)
        made_texts = [[*texts[p], label] for p, label in zip(parents, labels.tolist(), strict=True)]
        everything, every_text = np.concatenate([rows, made]), [*texts, *made_texts]
        places = generator.permutation(everything.size)[:beam]
        rows, texts = everything[places], [every_text[place] for place in places]
        most = max(most, kept.rows)
        rows = kept.prune(rows)
    return kept, rows, texts, most


@pytest.mark.parametrize("seed", range(5))
def test_texts_are_spelled_as_they_grew(seed, monkeypatch):
    monkeypatch.setattr(backpointers, "_ROWS", 200)
    kept, rows, texts, _ = grown(seed, rounds=300)
    assert list(kept.spell(rows)) == texts
    assert max(map(len, texts)) > 100


def test_it_stays_small_however_long_the_search(monkeypatch):
    monkeypatch.setattr(backpointers, "_ROWS", 1000)
    _, _, _, most = grown(0, rounds=500)
    assert most < 3000 < 500 * 60  # rows that were made


def test_texts_that_share_nothing_keep_all_they_are_made_of(monkeypatch):
    monkeypatch.setattr(backpointers, "_ROWS", 4)
    kept, rows = Backpointers(), np.array([0, 0])
    for label in range(10):
        rows = kept.prune(kept.add(rows, np.array([label, label + 10])))
    assert list(kept.spell(rows)) == [list(range(10)), list(range(10, 20))]


def test_the_text_that_others_go_on_from_may_be_one_of_them(monkeypatch):
    monkeypatch.setattr(backpointers, "_ROWS", 2)
    kept = Backpointers()
    [first] = kept.add(np.array([0]), np.array([7]))
    longer = kept.add(np.array([first, first]), np.array([8, 9]))
    rows = kept.prune(np.array([first, longer[1]]))
    assert kept.rows == 2
    assert list(kept.spell(rows)) == [[7], [7, 9]]
    assert list(kept.spell(kept.add(rows, np.array([1, 2])))) == [[7, 1], [7, 9, 2]]
