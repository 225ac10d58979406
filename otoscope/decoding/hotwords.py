"""Words and phrases that are expected more than the language model does.

Every hot phrase that a text holds as whole words adds its boost to the text's score. Its characters
earn their share of it on the way, so that it is not dropped before it is whole, and lose it again
when the text turns elsewhere (after Zhao et al. 2019, "Shallow-Fusion End-to-End Contextual
Biasing"). Where a phrase breaks off, another one may have begun at any of its words: links lead
there (Aho and Corasick 1975).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from otoscope.arrays import Floats, Ints
from otoscope.ctc import Labels
from otoscope.decoding.lexicon import SPACE
from otoscope.decoding.scorers import Scorer
from otoscope.decoding.trie import OUTSIDE, ROOT, Trie, empty_trie
from otoscope.errors import SpecError
from otoscope.vocabulary import Alphabet


@dataclass(frozen=True)
class Hotwords:
    """Hot phrases as a tree of characters and spaces.

    Attributes:
        phrases: as they were given, in the alphabet's symbols.
        trie: of their symbols.
        shares: (nodes,) float64, what the characters so far have earned of the boost.
        boosts: (nodes,) float64, of the phrases that end at a node; 0 where none does.
        links: (nodes,) int64, the node of the same text from its second word on, or the first later
            one from which a phrase begins so; OUTSIDE where none does.
        space: class of the space.
    """

    phrases: tuple[str, ...]
    trie: Trie
    shares: Floats
    boosts: Floats
    links: Ints
    space: int

    @property
    def words(self) -> tuple[str, ...]:
        """The words of all phrases, each once."""
        return tuple(sorted({word for phrase in self.phrases for word in phrase.split()}))


def hotwords(boosts: Mapping[str, float], alphabet: Alphabet) -> Hotwords:
    """Make the tree.

    Args:
        boosts: word or phrase -> natural log added for each time it is recognized, above 0.
        alphabet: of the model; phrases are normalised to it.

    Raises:
        UnsupportedTextError: if a phrase holds what the alphabet can't express.
        SpecError: if a phrase holds no words, or a boost is not above 0 and finite.
    """
    if SPACE not in alphabet.symbols:
        raise SpecError("hotwords: expected an alphabet with a space, which parts words")
    phrases = {alphabet.normalize(phrase): boost for phrase, boost in boosts.items()}
    for phrase, boost in phrases.items():
        if not phrase:
            raise SpecError(f"hotwords: expected words, got {list(boosts)!r:.200}")
        if not 0 < boost < np.inf:
            raise SpecError(f"hotwords: expected a boost above 0 for {phrase!r:.200}, got {boost}")
    spellings = [alphabet.encode(phrase) for phrase in phrases]
    trie, paths = empty_trie(alphabet.size).with_spellings(spellings)
    shares, ends = np.zeros(trie.size), np.zeros(trie.size)
    for path, boost in zip(paths, phrases.values(), strict=True):
        earned = boost * np.arange(1, len(path) + 1) / len(path)
        shares[path] = np.maximum(shares[path], earned)
        ends[path[-1]] = boost
    space = alphabet.symbols.index(SPACE)
    links = _links(trie, spellings, paths, space)
    nodes = {(depth, node) for path in paths for depth, node in enumerate(path)}
    for _, node in sorted(nodes):  # a phrase may end with another one
        ends[node] += ends[links[node]]
    return Hotwords(tuple(phrases), trie, shares, ends, links, space)


def _links(
    trie: Trie, spellings: Sequence[Labels], paths: Sequence[Sequence[int]], space: int
) -> Ints:
    links = np.full(trie.size, OUTSIDE)
    levels: defaultdict[int, set[tuple[int, int, int]]] = defaultdict(set)
    for spelling, path in zip(spellings, paths, strict=True):
        for depth, edge in enumerate(zip([ROOT, *path], spelling.tolist(), path, strict=False)):
            levels[depth].add(edge)
    for level in levels.values():  # links lead to nodes that are nearer to the root
        parents, labels, nodes = np.array(list(level)).T
        found = _follow(trie, links, links[parents], labels)
        links[nodes] = np.where((found == OUTSIDE) & (labels == space), ROOT, found)
    return links


def _follow(trie: Trie, links: Ints, nodes: Ints, labels: Labels) -> Ints:
    """The nodes after one more class each, along links where a phrase breaks off."""
    found = trie.follow(nodes, labels)
    while (lost := (found == OUTSIDE) & (nodes != OUTSIDE)).any():
        nodes = np.where(lost, links.take(nodes), OUTSIDE)
        found = np.where(lost, trie.follow(nodes, labels), found)
    return found


class HotwordState(NamedTuple):
    """What is known of unfinished texts, (texts,) each.

    Attributes:
        inner: by the other scorer.
        node: in the tree of hot phrases.
        earned: boosts of the phrases that are whole.
        context: what to add to the text's acoustic score.
    """

    inner: Any
    node: Ints
    earned: Floats
    context: Floats


class HotwordScorer:
    """What another scorer knows, and what hot phrases earn."""

    def __init__(self, inner: Scorer[Any], hot: Hotwords) -> None:
        self._inner = inner
        self._hot = hot

    def start(self) -> HotwordState:
        inner = self._inner.start()
        return HotwordState(inner, np.array([ROOT]), np.zeros(1), inner.context)

    def extend(self, state: HotwordState, places: Ints, labels: Ints) -> HotwordState:
        """A space ends a word, and with it perhaps a phrase."""
        hot, before = self._hot, state.node.take(places)
        closed = labels == hot.space
        earned = state.earned.take(places) + np.where(closed, hot.boosts.take(before), 0.0)
        node = _follow(hot.trie, hot.links, before, labels)
        node[closed & (node == OUTSIDE)] = ROOT
        inner = self._inner.extend(state.inner, places, labels)
        return HotwordState(inner, node, earned, inner.context + (earned + hot.shares.take(node)))

    def finish(self, state: HotwordState) -> tuple[Floats, Floats]:
        """A phrase may end with the text; what hot phrases earned counts as bonus."""
        lm, bonus = self._inner.finish(state.inner)
        return lm, bonus + state.earned + self._hot.boosts[state.node]
