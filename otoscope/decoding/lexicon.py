"""Words as a tree of their characters, in arrays, that a search walks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Bools, Floats
from otoscope.ctc import Labels
from otoscope.decoding.ngram import UNKNOWN, NgramModel
from otoscope.vocabulary import Alphabet

SPACE = " "

Nodes = npt.NDArray[np.int32]

OUTSIDE, ROOT = 0, 1
"""The node of characters that begin no word, and the node of no characters."""


def grow_trie(trie: Nodes, spellings: Sequence[Labels]) -> tuple[Nodes, list[list[int]]]:
    """Add words to a prefix tree.

    Args:
        trie: (nodes, classes), the node after one more character; `empty_trie` to begin with.
        spellings: classes of each word's characters, at least one, (N,) int64.

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
        for label in spelling.tolist():
            cell = node * classes + label
            if cells[cell] == OUTSIDE:
                cells[cell] = used
                used += 1
            node = cells[cell]
            path.append(node)
        paths.append(path)
    return grown[:used], paths


def empty_trie(alphabet: Alphabet) -> Nodes:
    """A prefix tree of no words: OUTSIDE and ROOT."""
    return np.zeros((2, alphabet.size), dtype=np.int32)


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
    ends: Bools
    look_ahead: Floats

    def with_words(self, spellings: Sequence[Labels]) -> "Lexicon":
        """This one and more words, which count as the unknown word but cost no penalty for it."""
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


def build_lexicon(ngrams: NgramModel, alphabet: Alphabet) -> Lexicon:
    """The words of a language model that an alphabet can spell."""
    characters = set(alphabet.symbols) - {SPACE}
    spelled = [word for word in ngrams.vocabulary if characters.issuperset(word)]
    trie, paths = grow_trie(empty_trie(alphabet), [alphabet.encode(word) for word in spelled])
    numbers, unknown = [ngrams.numbers[word] for word in spelled], ngrams.numbers[UNKNOWN]
    words = np.full(len(trie), unknown, dtype=np.int32)
    words[[path[-1] for path in paths]] = numbers
    log_probs = ngrams.unigrams[:, 0].astype(np.float64)
    look_ahead = np.full(len(trie), -np.inf)
    look_ahead[[OUTSIDE, ROOT]] = log_probs[unknown], 0.0
    lengths = [len(path) for path in paths]
    np.maximum.at(
        look_ahead, list(chain.from_iterable(paths)), np.repeat(log_probs[numbers], lengths)
    )
    return Lexicon(trie, words, words != unknown, look_ahead)


def space_of(alphabet: Alphabet) -> int:
    """Class of the space; -1, which is none, if the alphabet has no words."""
    return alphabet.symbols.index(SPACE) if SPACE in alphabet.symbols else -1
