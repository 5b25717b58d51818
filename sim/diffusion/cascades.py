"""What came of it: how far each replication got, when it reached whom, and through whom."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.units import I32, I64
from sim.words import _

if TYPE_CHECKING:
    import networkx as nx


class Reached(NamedTuple):
    """One replication: who was reached (node ascending), at which step, through whom (-1: a seed)."""

    curve: I64  # newly reached per step, (steps + 1,)
    node: I32 | None = None
    time: I32 | None = None
    parent: I32 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cascades:
    """R replications on n nodes.

    `reach` (R,): nodes reached, seeds included. `curve` (R, steps + 1): how many were newly reached in each step, the
    seeds in step 0; rows that end sooner hold 0. The rest is there as far as `record` asked for it: replication r
    reached the nodes ``node[start[r]:start[r + 1]]``, ascending, at these `time` (steps) and through these `parent`
    (-1 for a seed).
    """

    n: int
    reach: I64
    curve: I64
    start: I64 | None
    node: I32 | None
    time: I32 | None
    parent: I32 | None
    labels: tuple[Hashable, ...] | None = None

    @property
    def standard_error(self) -> float:
        """Of the mean reach; not a number for a single replication."""
        r = self.reach.size
        return float(self.reach.std(ddof=1) / np.sqrt(r)) if r > 1 else float("nan")

    def times(self, replication: int = 0) -> I32:
        """The step in which each node was reached, -1 if never, shape (n,). ValueError if not recorded."""
        return self._dense(self.time, replication, "times")

    def parents(self, replication: int = 0) -> I32:
        """Who reached each node, by number, shape (n,); -1 for seeds and for whom nobody reached."""
        return self._dense(self.parent, replication, "tree")

    def tree(self, replication: int = 0) -> "nx.DiGraph[Hashable]":
        """Who was reached through whom, as a networkx forest; node attribute `time`. Labels are the graph's."""
        import networkx as nx

        parent, time = self.parents(replication), self.times(replication)
        label: Sequence[Hashable] = self.labels if self.labels is not None else range(self.n)
        out: nx.DiGraph[Hashable] = nx.DiGraph()
        reached = (time >= 0).nonzero()[0].tolist()
        out.add_nodes_from((label[v], {"time": int(time[v])}) for v in reached)
        out.add_edges_from((label[parent[v]], label[v]) for v in reached if parent[v] >= 0)
        return out

    def _dense(self, what: I32 | None, replication: int, record: str) -> I32:
        if what is None or self.node is None or self.start is None:
            raise ValueError(_('not recorded; ask for record="{record}"', record=record))
        part = slice(self.start[replication], self.start[replication + 1])
        out = np.full(self.n, -1, np.int32)
        out[self.node[part]] = what[part]
        return out


def gathered(n: int, parts: Sequence[Reached], labels: tuple[Hashable, ...] | None) -> Cascades:
    """Replications, in order, as one result."""
    reach = np.array([part.curve.sum() for part in parts], np.int64)
    curve = np.zeros((len(parts), max((part.curve.size for part in parts), default=1)), np.int64)
    for row, part in zip(curve, parts, strict=True):
        row[: part.curve.size] = part.curve
    node, time, parent = (
        None if not parts or parts[0][i] is None else np.concatenate([part[i] for part in parts]) for i in (1, 2, 3)
    )
    start = None if node is None else np.concatenate(([0], np.cumsum(reach)))
    return Cascades(n, reach, curve, start, node, time, parent, labels)
