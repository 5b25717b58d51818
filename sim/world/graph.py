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
from sim.world.packing import field, pack, width

if TYPE_CHECKING:
    import networkx as nx

DUNBAR = (5, 15, 50)  # people in the three closest layers, cumulative; the rest are the fourth
# facts: network.dunbar_layers (Dunbar 1998): 5, 15, 50, 150

Layers = npt.NDArray[np.uint8]
Strength = npt.NDArray[np.uint16]

_STRENGTH_BITS = 16
_LAYER_OF_RANK = np.repeat(np.arange(4, dtype=np.uint8), np.diff([0, *DUNBAR, DUNBAR[-1] + 1]))


@dataclass(frozen=True, slots=True, eq=False)
class SocialGraph:
    """Ties as rows of neighbours. `indptr` (rows + 1,), `indices` and `layer` (entries,).

    Neighbours of row i are ``indices[indptr[i]:indptr[i + 1]]``, strongest first; `layer` 0 holds the 5 strongest
    ties, 1 the next 10, 2 the next 35 and 3 all others (Dunbar's 5/15/50/150). Rows of groups know no strength:
    they ascend, and their layer is 0.
    """

    indptr: I64
    indices: I32
    layer: Layers

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

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self.indptr.nbytes + self.indices.nbytes + self.layer.nbytes

    def row(self, i: int) -> I32:
        """Neighbours of row i, strongest first."""
        return self.indices[self.indptr[i] : self.indptr[i + 1]]

    def owner(self) -> I32:
        """The row of every entry, shape (entries,)."""
        return np.repeat(np.arange(self.rows, dtype=np.int32), self.degree)

    @classmethod
    def from_edges(cls, n: int, u: Array, v: Array, strength: Strength) -> "SocialGraph":
        """An undirected graph of n people; a tie given twice counts once, at its greatest strength, a loop never."""
        real = u != v
        low, high = np.minimum(u, v)[real], np.maximum(u, v)[real]
        u, v, strength = each_once(n, low, high, strength[real])
        row, column = np.concatenate([u, v]), np.concatenate([v, u])
        return cls(*by_strength(n, n, row, column, np.concatenate([strength, strength])))

    @classmethod
    def from_rows(cls, degree: I64, indices: I32) -> "SocialGraph":
        """Memberships row after row: how many entries each row has, and all entries, ascending within a row."""
        return cls(np.concatenate([[0], np.cumsum(degree)]), indices, np.zeros(indices.size, np.uint8))

    def inverse(self, columns: int) -> "SocialGraph":
        """Memberships seen from the other side: rows are what was an entry (one of `columns`), and ascend."""
        from scipy.sparse import csr_array

        start = self.indptr.astype(np.int32 if self.indices.size < 2**31 else np.int64)
        table = csr_array((np.ones(self.indices.size, np.int8), self.indices, start), shape=(self.rows, columns))
        turned = table.tocsc()
        return SocialGraph.from_rows(
            np.diff(turned.indptr).astype(np.int64), turned.indices.astype(np.int32, copy=False)
        )

    @classmethod
    def from_networkx(cls, graph: "nx.Graph[int]", strength: Strength) -> "SocialGraph":
        """The people 0..n-1 of a networkx graph; `strength` per tie in the order of ``graph.edges``."""
        u, v = ends_of(graph)
        return cls.from_edges(graph.number_of_nodes(), u, v, strength)

    def to_networkx(self) -> "nx.Graph[int]":
        """The same people and ties as an undirected networkx graph; `layer` is the closer of the two views."""
        import networkx as nx

        graph: nx.Graph[int] = nx.empty_graph(self.rows)
        row, column = self.owner().astype(np.int64), self.indices
        here = np.argsort(row * self.rows + column)
        there = np.argsort(column.astype(np.int64) * self.rows + row)
        layer = np.empty_like(self.layer)
        layer[here] = np.minimum(self.layer[here], self.layer[there])
        once = row < column
        ties = zip(row[once].tolist(), column[once].tolist(), layer[once].tolist(), strict=True)
        graph.add_edges_from((u, v, {"layer": near}) for u, v, near in ties)
        return graph


def ends_of(graph: "nx.Graph[int]") -> tuple[I64, I64]:
    """The two ends of every tie of a networkx graph on people 0..n-1."""
    ends = np.array(list(graph.edges()), np.int64).reshape(-1, 2)
    return ends[:, 0], ends[:, 1]


def each_once(n: int, u: Array, v: Array, strength: Strength) -> tuple[Array, Array, Strength]:
    """Ties u < v of n people, each once, at its greatest strength; ordered by (u, v)."""
    across = width(n)
    spare = min(_STRENGTH_BITS, 64 - 2 * across)
    packed = pack(u, v, across, np.invert(strength) >> np.uint16(_STRENGTH_BITS - spare), spare)
    packed.sort()
    pair = packed >> np.uint64(spare)
    first = np.ones(packed.size, np.bool_)
    np.not_equal(pair[1:], pair[:-1], out=first[1:])
    packed = packed[first]
    weak = field(packed, 0, spare).astype(np.uint16) << np.uint16(_STRENGTH_BITS - spare)
    return packed >> np.uint64(across + spare), field(packed, spare, across), np.invert(weak)


def by_strength(rows: int, columns: int, row: Array, column: Array, strength: Strength) -> tuple[I64, I32, Layers]:
    """Compress different entries into rows, strongest first: `indptr`, `indices` and `layer`."""
    across = width(columns)
    spare = min(_STRENGTH_BITS, 64 - across - width(rows))
    packed = pack(row, np.invert(strength) >> np.uint16(_STRENGTH_BITS - spare), spare, column, across)
    packed.sort()
    degree = np.bincount(row.astype(np.int64, copy=False), minlength=rows)
    indptr = np.concatenate([[0], np.cumsum(degree)])
    rank = np.arange(packed.size) - np.repeat(indptr[:-1], degree)
    layer = _LAYER_OF_RANK[np.minimum(rank, DUNBAR[-1])]
    return indptr, field(packed, 0, across).astype(np.int32), layer


def stack(graphs: Sequence[SocialGraph], columns: int | None = None) -> SocialGraph:
    """Graphs of several worlds as one block-diagonal graph; `columns` per world (default: as many as rows)."""
    if len(graphs) == 1:
        return graphs[0]
    starts = np.cumsum([0] + [graph.indices.size for graph in graphs])
    width = graphs[0].rows if columns is None else columns
    return SocialGraph(
        np.concatenate([*(g.indptr[:-1] + start for g, start in zip(graphs, starts[:-1], strict=True)), starts[-1:]]),
        np.concatenate([graph.indices + np.int32(world * width) for world, graph in enumerate(graphs)]),
        np.concatenate([graph.layer for graph in graphs]),
    )
