"""Words as a tree of their characters, in arrays, that a search walks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

Nodes = npt.NDArray[np.int32]

OUTSIDE, ROOT = 0, 1
"""The node of characters that begin no word, and the node of no characters."""


def grow_trie(trie: Nodes, spellings: Sequence[Sequence[int]]) -> tuple[Nodes, list[list[int]]]:
    """Add words to a prefix tree.

    Args:
        trie: (nodes, classes), the node after one more character; `empty_trie` to begin with.
        spellings: classes of each word's characters.

    Returns:
        The larger tree, and the nodes that each word passes, its end last.
    """
    used, classes = trie.shape
    grown = np.zeros((used + sum(map(len, spellings)), classes), dtype=np.int32)
    grown[:used] = trie
    cells = grown.reshape(-1).data  # several times as fast as numpy for single cells
    paths = []
    for spelling in spellings:
        node, path = ROOT, []
        for label in spelling:
            cell = node * classes + label
            if cells[cell] == OUTSIDE:
                cells[cell] = used
                used += 1
            node = cells[cell]
            path.append(node)
        paths.append(path)
    return grown[:used], paths


def empty_trie(classes: int) -> Nodes:
    """A prefix tree of no words: OUTSIDE and ROOT."""
    return np.zeros((2, classes), dtype=np.int32)


@dataclass(frozen=True)
class Lexicon:
    """The words that a language model knows.

    Attributes:
        trie: (nodes, classes) int32, the node after one more character.
        words: (nodes,) int32, number of the word that a node ends; the unknown word's if none.
        ends: (nodes,) bool, whether a node ends a word.
        look_ahead: (nodes,) float64, the highest unigram log probability of a word at or below it,
            a bound for the search; the unknown word's for OUTSIDE, and 0 for ROOT.
    """

    trie: Nodes
    words: Nodes
    ends: npt.NDArray[np.bool_]
    look_ahead: npt.NDArray[np.float64]

    def with_words(self, spellings: Sequence[Sequence[int]]) -> "Lexicon":
        """This one and more words, which count as the unknown word but cost no penalty for it.

        Args:
            spellings: classes of each word's characters.
        """
        trie, paths = grow_trie(self.trie, spellings)
        more = len(trie) - len(self.trie)
        ends = np.pad(self.ends, (0, more))
        ends[[path[-1] for path in paths]] = True
        return Lexicon(
            trie,
            np.pad(self.words, (0, more), constant_values=self.words[OUTSIDE]),
            ends,
            np.pad(self.look_ahead, (0, more), constant_values=self.look_ahead[OUTSIDE]),
        )


def build_lexicon(
    spellings: Sequence[Sequence[int]],
    numbers: Sequence[int],
    log_probs: npt.NDArray[np.floating],
    *,
    classes: int,
    unknown: int,
) -> Lexicon:
    """Make a lexicon.

    Args:
        spellings: classes of each word's characters, at least one.
        numbers: of each word.
        log_probs: of all numbers, unigram natural logs.
        classes: of the characters.
        unknown: the unknown word's number.
    """
    trie, paths = grow_trie(empty_trie(classes), spellings)
    words = np.full(len(trie), unknown, dtype=np.int32)
    words[[path[-1] for path in paths]] = numbers
    look_ahead = np.full(len(trie), -np.inf)
    look_ahead[[OUTSIDE, ROOT]] = log_probs[unknown], 0.0
    passed = list(chain.from_iterable(paths))
    sizes = [len(path) for path in paths]
    np.maximum.at(look_ahead, passed, np.repeat(log_probs[numbers], sizes).astype(np.float64))
    return Lexicon(trie, words, words != unknown, look_ahead)
