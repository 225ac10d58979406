"""A prefix tree in arrays, that many texts walk at once.

Which classes go on from a node is a bitmap, and how many bits are set below a class's own says
which of the node's edges is the class's (Bagwell 2001, "Ideal hash trees").
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Ints
from otoscope.ctc import Labels

Nodes = npt.NDArray[np.int32]

OUTSIDE, ROOT = 0, 1
"""The node of characters that begin nothing, and the node of no characters."""

_WORD = 6  # bits of a class that choose a bit of 64, further ones choose the bitmap
_BITS = np.uint64(1) << np.arange(1 << _WORD, dtype=np.uint64)
_BELOW = _BITS - np.uint64(1)


@dataclass(frozen=True)
class Trie:
    """Spellings as a tree of their classes.

    Attributes:
        maps: (nodes, bitmaps) uint64, bit c % 64 of bitmap c // 64 where class c goes on.
        firsts: (nodes, bitmaps) int32, the edge of the lowest class in each bitmap.
        targets: (edges,) int32, the node that an edge leads to.
    """

    maps: npt.NDArray[np.uint64]
    firsts: Nodes
    targets: Nodes

    @property
    def size(self) -> int:
        """Number of nodes, OUTSIDE and ROOT among them."""
        return len(self.maps)

    def follow(self, nodes: Ints, labels: Labels) -> Ints:
        """The node after one more class each, (texts,) int64; OUTSIDE where none begins so."""
        places = nodes
        if self.maps.shape[1] > 1:
            places = nodes * self.maps.shape[1] + (labels >> _WORD)
            labels = labels & ((1 << _WORD) - 1)
        maps = self.maps.take(places)
        edges = np.bitwise_count(maps & _BELOW.take(labels)) + self.firsts.take(places)
        there = (maps & _BITS.take(labels)) != 0
        found: Ints = self.targets.take(edges * there) * there
        return found

    def with_spellings(self, spellings: Sequence[Labels]) -> tuple["Trie", list[list[int]]]:
        """A larger tree for a few more spellings, at least one class each.

        Returns:
            The tree, and the nodes that each spelling passes, its end last.
        """
        added: dict[tuple[int, int], int] = {}
        paths = []
        for spelling in spellings:
            node, path = ROOT, []
            for label in spelling.tolist():
                known = self._child(node, label)
                node = known or added.setdefault((node, label), self.size + len(added))
                path.append(node)
            paths.append(path)
        return self._with_edges(added), paths

    def _child(self, node: int, label: int) -> int:
        if node >= self.size:
            return OUTSIDE
        return int(self.follow(np.array([node]), np.array([label]))[0])

    def _with_edges(self, added: dict[tuple[int, int], int]) -> "Trie":
        """With further edges: node and class -> a new node, numbered in order.

        The edges of a bitmap that gets more of them are all written again behind the others.
        """
        maps = np.pad(self.maps, ((0, len(added)), (0, 0)))
        firsts = np.pad(self.firsts, ((0, len(added)), (0, 0)))
        targets: list[int] = []
        fresh: defaultdict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        for (node, label), child in added.items():
            fresh[node, label >> _WORD][label] = child
        for (node, word), edges in fresh.items():
            for label in range(word << _WORD, (word + 1) << _WORD) if node < self.size else ():
                if known := self._child(node, label):
                    edges[label] = known
            within = sorted(edges)
            firsts[node, word] = self.targets.size + len(targets)
            maps[node, word] = np.bitwise_or.reduce(_BITS[[label & 63 for label in within]])
            targets += [edges[label] for label in within]
        return Trie(maps, firsts, np.append(self.targets, np.array(targets, dtype=np.int32)))


def empty_trie(classes: int) -> Trie:
    """The tree of no spellings."""
    return build_trie(np.zeros(0, np.int64), np.zeros(0, np.int64), classes)[0]


def build_trie(labels: Labels, lengths: Ints, classes: int) -> tuple[Trie, Nodes]:
    """The tree of many spellings.

    Args:
        labels: (characters,) int64, the classes of one spelling after another.
        lengths: (spellings,) classes of each, at least one.
        classes: how many there are.

    Returns:
        The tree, and the node after each class, (characters,).
    """
    starts = np.cumsum(lengths) - lengths
    passed = np.full(labels.size, ROOT, dtype=np.int32)
    edges, used = [np.zeros(0, np.int64)], ROOT + 1
    for depth in range(int(lengths.max(initial=0))):
        places = starts[lengths > depth] + depth
        before = passed[places - 1].astype(np.int64) if depth else ROOT
        found, which = np.unique(before * classes + labels[places], return_inverse=True)
        passed[places] = used + which
        used += found.size
        edges.append(found)  # of later nodes than those before: all edges are in order
    leaving, classes_of = np.divmod(np.concatenate(edges), classes)
    width = (classes - 1 >> _WORD) + 1
    bitmaps = leaving * width + (classes_of >> _WORD)
    maps = np.zeros(used * width, dtype=np.uint64)
    np.bitwise_or.at(maps, bitmaps, _BITS[classes_of & ((1 << _WORD) - 1)])
    firsts = np.searchsorted(bitmaps, np.arange(used * width)).astype(np.int32)
    targets = np.append(np.arange(ROOT + 1, used, dtype=np.int32), np.int32(OUTSIDE))
    shape = used, width
    return Trie(maps.reshape(shape), firsts.reshape(shape), targets), passed
