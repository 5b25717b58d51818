"""The social graph: compressed sparse rows, neighbours ordered by tie strength.

One structure serves friendships (users x users), the chat groups of each user (users x groups) and the members of
each group (groups x users). Entries are int32; strength itself is not kept, only the order and the Dunbar layer
that it gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sim.units import I32, I64, Array

if TYPE_CHECKING:
    import networkx as nx

DUNBAR = (5, 15, 50, 150)  # cumulative sizes of the layers; facts: network.dunbar_layers (Dunbar 1998)


@dataclass(frozen=True, slots=True)
class SocialGraph:
    """Ties as rows of neighbours. `indptr` (rows + 1,), `indices` and `layer` (entries,).

    Neighbours of row i are ``indices[indptr[i]:indptr[i + 1]]``, strongest first; `layer` 0 holds the 5 strongest
    ties, 1 the next 10, 2 the next 35 and 3 all others (Dunbar's 5/15/50/150).
    """

    indptr: I64
    indices: I32
    layer: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        for array in (self.indptr, self.indices, self.layer):
            array.flags.writeable = False

    @property
    def rows(self) -> int:
        """How many rows (users, or groups)."""
        return int(self.indptr.size) - 1

    @property
    def degree(self) -> I64:
        """Entries of each row, shape (rows,)."""
        return np.diff(self.indptr)

    def row(self, i: int) -> I32:
        """Neighbours of row i, strongest first."""
        return self.indices[self.indptr[i] : self.indptr[i + 1]]

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self.indptr.nbytes + self.indices.nbytes + self.layer.nbytes

    @classmethod
    def from_edges(cls, n: int, u: Array, v: Array, strength: Array) -> "SocialGraph":
        """An undirected graph of n people from ties (u, v), each given once, u != v.

        Rows are ordered by falling strength; equal strengths keep the order in which they are given.
        """
        falling = np.argsort(-strength if strength.dtype.kind == "f" else np.invert(strength), kind="stable")
        ties = np.empty((u.size, 2), np.int32)
        ties[:, 0] = u[falling]
        ties[:, 1] = v[falling]
        return _compress(n, n, ties.ravel(), ties[:, ::-1].ravel(), by_strength=True)

    @classmethod
    def bipartite(cls, rows: int, columns: int, row: Array, column: Array) -> "SocialGraph":
        """Rows of entries in the order given (no strength: every entry is in layer 0)."""
        return _compress(rows, columns, row.astype(np.int32), column.astype(np.int32), by_strength=False)

    def to_networkx(self) -> "nx.Graph[int]":
        """The same people and ties as an undirected networkx graph; `layer` is the closer of the two views."""
        import networkx as nx

        graph: nx.Graph[int] = nx.empty_graph(self.rows)
        u, v = self.ends()
        once = u < v
        near = self.layer[once]
        back = _reverse(self.rows, u, v)
        near = np.minimum(near, self.layer[back[once]])
        triples = zip(u[once].tolist(), v[once].tolist(), near.tolist(), strict=True)
        graph.add_edges_from((a, b, {"layer": layer}) for a, b, layer in triples)
        return graph

    def ends(self) -> tuple[I32, I32]:
        """Row and entry of every stored tie, shape (entries,) each."""
        return np.repeat(np.arange(self.rows, dtype=np.int32), self.degree), self.indices


def stack(graphs: Sequence[SocialGraph], columns: int | None = None) -> SocialGraph:
    """Graphs of several worlds as one block-diagonal graph; `columns` per world (default: as many as rows)."""
    if len(graphs) == 1:
        return graphs[0]
    entries = np.cumsum([0] + [g.indices.size for g in graphs])
    width = [columns if columns is not None else g.rows for g in graphs]
    offset = np.cumsum([0, *width])
    indptr = [g.indptr[:-1] + start for g, start in zip(graphs, entries[:-1], strict=True)]
    return SocialGraph(
        np.concatenate([*indptr, entries[-1:]]),
        np.concatenate([g.indices + np.int32(o) for g, o in zip(graphs, offset[:-1], strict=True)]),
        np.concatenate([g.layer for g in graphs]),
    )


def _compress(rows: int, columns: int, row: I32, column: I32, *, by_strength: bool) -> SocialGraph:
    """Counting sort by row that keeps the given order within each row."""
    from scipy.sparse import coo_array

    table = coo_array((np.ones(row.size, np.uint8), (row, column)), shape=(rows, columns))
    table.has_canonical_format = True  # no duplicates, so entries are not sorted by column
    packed = table.tocsr()
    indptr = packed.indptr.astype(np.int64)
    layer = _layers(indptr) if by_strength else np.zeros(row.size, np.uint8)
    return SocialGraph(indptr, packed.indices.astype(np.int32, copy=False), layer)


def _layers(indptr: I64) -> npt.NDArray[np.uint8]:
    """The Dunbar layer of each entry by its rank in its row."""
    layer = np.full(int(indptr[-1]), len(DUNBAR) - 1, np.uint8)
    degree = np.diff(indptr)
    for i in range(len(DUNBAR) - 2, -1, -1):
        for rank in range(DUNBAR[i - 1] if i else 0, DUNBAR[i]):
            layer[indptr[:-1][degree > rank] + rank] = i
    return layer


def _reverse(rows: int, u: I32, v: I32) -> I64:
    """The position of (v, u) for every entry (u, v) of a symmetric graph."""
    there = np.argsort(u.astype(np.int64) * rows + v)
    back = np.argsort(v.astype(np.int64) * rows + u)
    out = np.empty(u.size, np.int64)
    out[back] = there
    return out
