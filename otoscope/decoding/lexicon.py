"""The words that a language model knows, as a tree of their characters that a search walks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Bools, Ints
from otoscope.ctc import Labels
from otoscope.decoding.ngram import MARKS, UNKNOWN, WORD_END, NgramModel
from otoscope.decoding.trie import OUTSIDE, ROOT, Nodes, Trie, build_trie
from otoscope.vocabulary import Alphabet

SPACE = " "

_NO_CLASS = -1


@dataclass(frozen=True)
class Lexicon:
    """The words that a language model knows.

    Attributes:
        trie: of their spellings.
        words: (nodes,) int32, number of the word that a node ends; the unknown word's if none.
        ends: (nodes,) bool, whether a node ends a word.
        look_ahead: (nodes,) float32, the highest unigram log probability of a word at or below it,
            a bound for the search; the unknown word's for OUTSIDE, and 0 for ROOT.
    """

    trie: Trie
    words: Nodes
    ends: Bools
    look_ahead: npt.NDArray[np.float32]

    def with_words(self, spellings: Sequence[Labels]) -> "Lexicon":
        """This one and more words, which count as the unknown word but cost no penalty for it."""
        trie, paths = self.trie.with_spellings(spellings)
        more = trie.size - self.trie.size
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
    numbers, labels, lengths = _spellings(ngrams, alphabet)
    trie, passed = build_trie(labels, lengths, alphabet.size)
    words = np.full(trie.size, UNKNOWN, dtype=np.int32)
    words[passed[np.cumsum(lengths) - 1]] = numbers
    look_ahead = np.full(trie.size, -np.inf, dtype=np.float32)
    look_ahead[[OUTSIDE, ROOT]] = ngrams.unigrams[UNKNOWN, 0], 0.0
    np.maximum.at(look_ahead, passed, np.repeat(ngrams.unigrams[numbers, 0], lengths))
    return Lexicon(trie, words, words != UNKNOWN, look_ahead)


def _spellings(ngrams: NgramModel, alphabet: Alphabet) -> tuple[Ints, Labels, Ints]:
    """Numbers of the words that can be spelled, their classes one after another, and how many."""
    codes = np.frombuffer(ngrams.text.encode("utf-32-le"), dtype=np.uint32)
    class_of = np.full(int(codes.max()) + 1, _NO_CLASS)
    for index, symbol in enumerate(alphabet.symbols):
        if ord(symbol) < class_of.size and symbol not in (SPACE, WORD_END):
            class_of[ord(symbol)] = index
    ends = np.flatnonzero(codes == ord(WORD_END))
    lengths = np.diff(ends, prepend=-1)  # of the words with their ends
    labels = class_of[codes]
    unspelled = np.add.reduceat(labels == _NO_CLASS, ends - lengths + 1)
    spelled = (unspelled == 1) & (lengths > 1)
    spelled[:MARKS] = False
    kept = np.repeat(spelled, lengths) & (codes != ord(WORD_END))
    return np.flatnonzero(spelled), labels[kept], lengths[spelled] - 1


def space_of(alphabet: Alphabet) -> int:
    """Class of the space; -1, which is none, if the alphabet has no words."""
    return alphabet.symbols.index(SPACE) if SPACE in alphabet.symbols else -1
