"""The words a language model knows, as a tree of letters that a search walks."""

from collections.abc import Sequence
from dataclasses import dataclass

OUTSIDE = -1
"""The node of letters that begin no word."""

ROOT = 0


@dataclass(frozen=True)
class Lexicon:
    """A prefix tree.

    Attributes:
        children: (node, letter) -> node.
        words: node -> the word's number, for nodes that end one.
        hopes: node -> the highest log probability of a word below it, a bound for the search.
    """

    children: dict[tuple[int, str], int]
    words: dict[int, int]
    hopes: list[float]

    def step(self, node: int, letter: str) -> int:
        """The node after one more letter."""
        return self.children.get((node, letter), OUTSIDE)


def build_lexicon(words: Sequence[tuple[str, int, float]]) -> Lexicon:
    """Make a tree of (spelling, number, unigram log probability)."""
    children: dict[tuple[int, str], int] = {}
    ends: dict[int, int] = {}
    hopes = [float("-inf")]
    for spelling, number, log_prob in words:
        node = ROOT
        for letter in spelling:
            following = children.get((node, letter))
            if following is None:
                following = len(hopes)
                children[node, letter] = following
                hopes.append(log_prob)
            elif hopes[following] < log_prob:
                hopes[following] = log_prob
            node = following
        ends[node] = number
    hopes[ROOT] = 0.0
    return Lexicon(children, ends, hopes)
