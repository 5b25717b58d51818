"""Cascades as trees: who is whose parent, how large and deep they are, how far apart their members stand.

Structural virality is the mean distance between two members of a cascade (Goel, Anderson, Hofman and Watts 2016): near
2 for a broadcast, growing with the length of its chains.
"""

from dataclasses import dataclass

import numpy as np

from sim.units import F64, I64, U64, Bools


@dataclass(frozen=True, slots=True)
class Forest:
    """All cascades of a kind: one entry per member; trees are named by the position of their first."""

    parent: I64  # position of the parent, -1 for the first of a cascade
    root: I64
    depth: I64  # 0 for the first

    @property
    def sizes(self) -> I64:
        """Members of each cascade."""
        return np.bincount(self.root, minlength=self.root.size)[self.parent < 0]

    def virality(self) -> F64:
        """Structural virality of each cascade of two or more.

        An edge with s members below it lies on the way between s · (n - s) of the n · (n - 1) / 2 pairs.
        """
        below = np.ones(self.parent.size, np.int64)
        for depth in range(int(self.depth.max(initial=0)), 0, -1):
            at = (self.depth == depth).nonzero()[0]
            np.add.at(below, self.parent[at], below[at])
        edge = (self.parent >= 0).nonzero()[0]
        size = np.bincount(self.root, minlength=self.root.size)
        crossing = below[edge] * (size[self.root[edge]] - below[edge])
        distance = np.bincount(self.root[edge], crossing, minlength=self.root.size)
        more = size > 1
        out: F64 = 2.0 * distance[more] / (size[more] * (size[more] - 1.0))
        return out


def nearest(event: U64, cause: U64, marked: Bools) -> I64:
    """For each row the position of the nearest marked row among its causes, -1 if there is none; rows by event id."""
    size = event.size
    if not size:
        return np.zeros(0, np.int64)
    at = np.minimum(np.searchsorted(event, cause), size - 1)
    parent = np.where(event[at] == cause, at, size)  # `size` stands for no row
    hop = np.append(np.where(marked, np.arange(size), parent), size)
    for _ in range(size.bit_length()):  # each pass doubles the way gone
        further = hop[hop]
        if np.array_equal(further, hop):
            break
        hop = further
    found = hop[parent]
    return np.where(found < size, found, -1)


def forest(parent: I64) -> Forest:
    """Roots and depths from parents."""
    depth = (parent >= 0).astype(np.int64)
    root = np.where(parent >= 0, parent, np.arange(parent.size))
    for _ in range(parent.size.bit_length()):
        depth += depth[root]
        root = root[root]
    return Forest(parent, root, depth)
