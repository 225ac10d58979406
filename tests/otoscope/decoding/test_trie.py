"""otoscope.decoding.trie against sets of prefixes."""

import numpy as np
import pytest

from otoscope.decoding.trie import OUTSIDE, ROOT, build_trie, empty_trie


def spellings(seed, classes, count):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, classes, rng.integers(1, 6)) for _ in range(count)]


def prefixes(words):
    return {tuple(word[:end].tolist()) for word in words for end in range(1, len(word) + 1)}


def walk(trie, labels):
    nodes = [ROOT]
    for label in labels:
        nodes.append(int(trie.follow(np.array([nodes[-1]]), np.array([label]))[0]))
    return nodes[1:]


@pytest.mark.parametrize("classes", [2, 29, 64, 65, 200])
def test_it_holds_the_prefixes_of_its_spellings_and_no_others(classes):
    words, more = spellings(0, classes, 200), spellings(1, classes, 30)
    trie, passed = build_trie(np.concatenate(words), np.array([len(w) for w in words]), classes)
    grown, paths = trie.with_spellings(more)
    small, _ = empty_trie(classes).with_spellings(words)
    known = prefixes(words)
    assert trie.size == small.size == len(known) + 2
    assert grown.size == len(known | prefixes(more)) + 2
    assert [walk(grown, word) for word in more] == paths
    assert np.concatenate([walk(trie, word) for word in words]).tolist() == passed.tolist()
    for other in spellings(2, classes, 300):
        inside = tuple(other.tolist()) in known
        assert (walk(trie, other)[-1] != OUTSIDE) == (walk(small, other)[-1] != OUTSIDE) == inside
        if inside:
            assert walk(grown, other) == walk(trie, other)


def test_of_no_spellings_nothing_begins():
    assert walk(empty_trie(3), [0, 1]) == [OUTSIDE, OUTSIDE]
