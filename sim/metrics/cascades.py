"""Cascades of sharing, read from chains of causes.

A share's parent is the nearest share that its chain of causes goes back to (share → seen → bought → shared again). A
share without a parent begins a cascade. The reproduction number R is the mean number of children of a share; a
cascade has 1 / (1 - R) shares on average. Structural virality is the mean distance between two shares of a cascade
(Goel, Anderson, Hofman and Watts 2016): near 2 for a broadcast, growing with the length of its chains.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.ledger.reader import Ledger
from sim.metrics.metric import of_daily, total
from sim.units import F64, I64, U64, Bools


@dataclass(frozen=True, slots=True)
class Forest:
    """All cascades of a ledger: one entry per share; trees are named by the position of their first share."""

    parent: I64  # position of the parent share, -1 for the first of a cascade
    root: I64
    depth: I64  # 0 for the first

    @property
    def sizes(self) -> I64:
        """Shares in each cascade."""
        return np.bincount(self.root, minlength=self.root.size)[self.parent < 0]

    def virality(self) -> F64:
        """Structural virality of each cascade of two shares or more.

        An edge with s shares below it lies on the way between s · (n - s) of the n · (n - 1) / 2 pairs.
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


def cascades(ledger: Ledger, merchant: int | None) -> Mapping[str, float]:
    """Every metric of cascades, for the shares of one merchant's products or all."""
    from sim.metrics.genealogy import read  # it is made of what stands below

    found = read(ledger, "share", merchant)
    trees, social = found.trees, int((found.deals["node"] >= 0).sum())
    ((reached,),) = ledger.rows(of_daily(total("quantity", "share")), merchant=merchant)
    return {
        "cascade_size_mean": _mean(trees.sizes),
        "cascade_size_max": float(trees.sizes.max(initial=0)),
        "cascade_depth_max": float(trees.depth.max(initial=0)),
        "share_reproduction": _mean(trees.parent >= 0),
        "structural_virality": _mean(trees.virality()),
        "social_orders": float(social),
        "social_order_share": social / found.deals["node"].size if found.deals["node"].size else math.nan,
        "orders_per_recommendation": social / reached if reached else math.nan,
    }


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


def _mean(values: F64 | I64 | Bools) -> float:
    return float(np.mean(values)) if values.size else math.nan
