"""The words a language model knows, as a tree of letters that a search walks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

OUTSIDE, ROOT = 0, 1
"""The node of letters that begin no word, and the node of no letters."""


@dataclass(frozen=True)
class Lexicon:
    """A prefix tree, in arrays.

    Attributes:
        following: (nodes, classes) int32, the node after one more letter.
        words: (nodes,) int32, number of the word that a node ends; the unknown word's if none.
        ends: (nodes,) bool, whether a node ends a word.
        look_ahead: (nodes,) float64, the highest unigram log probability of a word at or below it,
            a bound for the search; the unknown word's for OUTSIDE, and 0 for ROOT.
    """

    following: npt.NDArray[np.int32]
    words: npt.NDArray[np.int32]
    ends: npt.NDArray[np.bool_]
    look_ahead: npt.NDArray[np.float64]

    def step(
        self, nodes: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """The nodes after one more letter each, (texts,)."""
        after: npt.NDArray[np.int32] = self.following[nodes, labels]
        return after

    def with_words(self, spellings: Sequence[Sequence[int]]) -> "Lexicon":
        """This tree and more words, which count as the unknown word but as none that is misspelled.

        Args:
            spellings: classes of each word's letters.
        """
        first, more = self.words.size, sum(len(spelling) for spelling in spellings)
        following = np.pad(self.following, ((0, more), (0, 0)))
        ends = np.pad(self.ends, (0, more))
        used = first
        for spelling in spellings:
            node = ROOT
            for letter in spelling:
                if following[node, letter] == OUTSIDE:
                    following[node, letter] = used
                    used += 1
                node = int(following[node, letter])
            ends[node] = True
        return Lexicon(
            following[:used],
            np.pad(self.words, (0, used - first), constant_values=self.words[OUTSIDE]),
            ends[:used],
            np.pad(self.look_ahead, (0, used - first), constant_values=self.look_ahead[OUTSIDE]),
        )


def build_lexicon(
    spellings: Sequence[Sequence[int]],
    numbers: Sequence[int],
    log_probs: npt.NDArray[np.floating],
    *,
    classes: int,
    unknown: int,
) -> Lexicon:
    """Make the tree.

    Args:
        spellings: classes of each word's letters.
        numbers: of each word.
        log_probs: of all numbers, unigram natural logs.
        classes: of the letters.
        unknown: the unknown word's number.
    """
    following: list[dict[int, int]] = [{}, {}]
    words, look_ahead = [unknown, unknown], [float(log_probs[unknown]), 0.0]
    for spelling, number in zip(spellings, numbers, strict=True):
        log_prob, node = float(log_probs[number]), ROOT
        for letter in spelling:
            child = following[node].setdefault(letter, len(look_ahead))
            if child == len(look_ahead):
                following.append({})
                words.append(unknown)
                look_ahead.append(log_prob)
            look_ahead[child] = max(look_ahead[child], log_prob)
            node = child
        words[node] = number
    ends = np.array(words) != unknown
    table = np.full((len(look_ahead), classes), OUTSIDE, dtype=np.int32)
    for node, letters in enumerate(following):
        table[node, list(letters)] = list(letters.values())
    return Lexicon(table, np.array(words, dtype=np.int32), ends, np.array(look_ahead))
