"""Words and phrases that are expected more than the language model does.

Every hot phrase that a text holds as whole words adds its boost to the text's score. Its letters
earn their share of it on the way, so that it is not dropped before it is whole, and lose it again
when the text turns elsewhere (after Zhao et al. 2019, "Shallow-Fusion End-to-End Contextual
Biasing"). A phrase is looked for from the first word after the last one that matched.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.decoding.scorers import CONTEXT, SPACE, Floats, Ints, Partials, Scorer
from otoscope.errors import SpecError
from otoscope.vocabulary import Alphabet

_OUTSIDE, _ROOT = 0, 1
_NODE = -1  # the last row of numbers, and of values:
_EARNED = -1


@dataclass(frozen=True)
class Hotwords:
    """Hot phrases as a tree of letters and spaces.

    Attributes:
        phrases: as they were given, in the alphabet's symbols.
        following: (nodes, classes) int64, the node after one more symbol.
        shares: (nodes,) float64, what the letters so far have earned of the boost.
        boosts: (nodes,) float64, of the phrase that ends at a node; 0 where none does.
        space: class of the space.
    """

    phrases: tuple[str, ...]
    following: Ints
    shares: Floats
    boosts: Floats
    space: int

    @property
    def words(self) -> tuple[str, ...]:
        """The words of all phrases, each once."""
        return tuple(sorted({word for phrase in self.phrases for word in phrase.split()}))


def hotwords(boosts: Mapping[str, float], alphabet: Alphabet) -> Hotwords:
    """Make the tree.

    Args:
        boosts: word or phrase -> natural log added for each time it is heard, above 0.
        alphabet: of the model; phrases are normalised to it.

    Raises:
        UnsupportedTextError: if a phrase holds what the alphabet can't express.
        SpecError: if a phrase holds no words, or a boost is none.
    """
    if SPACE not in alphabet.symbols:
        raise SpecError("hotwords: expected an alphabet with a space, which parts words")
    phrases = {alphabet.normalize(phrase): boost for phrase, boost in boosts.items()}
    for phrase, boost in phrases.items():
        if not phrase:
            raise SpecError(f"hotwords: expected words, got {list(boosts)}")
        if not 0 < boost < np.inf:
            raise SpecError(f"hotwords: expected a boost above 0 for {phrase!r}, got {boost}")
    following: list[dict[int, int]] = [{}, {}]
    shares, ends = [0.0, 0.0], [0.0, 0.0]
    for phrase, boost in phrases.items():
        node, labels = _ROOT, alphabet.encode(phrase).tolist()
        for place, label in enumerate(labels, 1):
            child = following[node].setdefault(label, len(shares))
            if child == len(shares):
                following.append({})
                shares.append(0.0)
                ends.append(0.0)
            shares[child] = max(shares[child], boost * place / len(labels))
            node = child
        ends[node] = boost
    table = np.full((len(shares), alphabet.size), _OUTSIDE, dtype=np.int64)
    for node, children in enumerate(following):
        table[node, list(children)] = list(children.values())
    space = alphabet.symbols.index(SPACE)
    return Hotwords(tuple(phrases), table, np.array(shares), np.array(ends), space)


class HotwordScorer:
    """Another scorer's belief, and what hot phrases earn: one more row in both matrices."""

    def __init__(self, inner: Scorer, hot: Hotwords) -> None:
        self._inner = inner
        self._hot = hot

    def start(self) -> Partials:
        """Of the empty text."""
        return self._with_hot(self._inner.start(), np.array([_ROOT]), np.zeros(1))

    def allows(self, partials: Partials, places: Ints, labels: Ints) -> npt.NDArray[np.bool_]:
        """What the other scorer allows."""
        return self._inner.allows(partials, places, labels)

    def extend(self, partials: Partials, labels: Ints) -> Partials:
        """A space ends a word, and with it perhaps a phrase."""
        hot, nodes = self._hot, partials.numbers[_NODE]
        closed = labels == hot.space
        earned = partials.values[_EARNED] + np.where(closed, hot.boosts[nodes], 0.0)
        following = hot.following[nodes, labels]
        lost = closed & (following == _OUTSIDE)
        inner = self._inner.extend(_inner(partials), labels)
        return self._with_hot(inner, np.where(lost, _ROOT, following), earned)

    def finish(self, partials: Partials) -> tuple[Floats, Floats]:
        """A phrase may end with the text; what hot phrases earned counts as bonus."""
        lm, bonus = self._inner.finish(_inner(partials))
        last = self._hot.boosts[partials.numbers[_NODE]]
        return lm, bonus + partials.values[_EARNED] + last

    def _with_hot(self, inner: Partials, nodes: Ints, earned: Floats) -> Partials:
        values = np.concatenate([inner.values, earned[None]])
        values[CONTEXT] += earned + self._hot.shares[nodes]
        return Partials(np.concatenate([inner.numbers, nodes[None]]), values)


def _inner(partials: Partials) -> Partials:
    return Partials(partials.numbers[:-1], partials.values[:-1])
