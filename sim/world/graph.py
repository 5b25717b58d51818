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
    """Ties as rows of neighbours. `indptr` (rows + 1,), `indices` (entries,).

    Neighbours of row i are ``indices[indptr[i]:indptr[i + 1]]``, strongest first, so that their order tells Dunbar's
    layers (see `layers`); whoever wants others gives `layer` (entries,). Rows of groups know no strength: they ascend.
    """

    indptr: I64
    indices: I32
    layer: Layers | None = None

    def __post_init__(self) -> None:
        for array in self._arrays():
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
        return sum(array.nbytes for array in self._arrays())

    def _arrays(self) -> tuple[Array, ...]:
        return (self.indptr, self.indices) if self.layer is None else (self.indptr, self.indices, self.layer)

    def row(self, i: int) -> I32:
        """Neighbours of row i, strongest first."""
        return self.indices[self.indptr[i] : self.indptr[i + 1]]

    def owner(self) -> I32:
        """The row of every entry, shape (entries,)."""
        return np.repeat(np.arange(self.rows, dtype=np.int32), self.degree)

    def layers(self, row: Array, entry: Array) -> Layers:
        """Dunbar's layer of entries, given the row of each: 0 the 5 strongest, 1 the next 10, 2 the next 35, else 3."""
        if self.layer is not None:
            return self.layer[entry]
        out: Layers = _LAYER_OF_RANK[np.minimum(entry - self.indptr[row], DUNBAR[-1])]
        return out

    @classmethod
    def from_edges(cls, n: int, u: Array, v: Array, strength: Strength) -> "SocialGraph":
        """An undirected graph of n people; a tie given twice counts once, at its greatest strength, a loop never."""
        real = u != v
        low, high = np.minimum(u, v)[real], np.maximum(u, v)[real]
        u, v, strength = each_once(n, low, high, strength[real])
        row, column = np.concatenate([u, v]), np.concatenate([v, u])
        degree, indices = by_strength(n, n, row, column, np.concatenate([strength, strength]))
        return cls.from_rows(degree, indices)

    @classmethod
    def from_rows(cls, degree: I64, indices: I32) -> "SocialGraph":
        """Row after row: how many entries each row has, and all entries."""
        return cls(np.concatenate([[0], np.cumsum(degree)]), indices)

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
        mine = self.layers(row, np.arange(row.size))
        layer = np.empty_like(mine)
        layer[here] = np.minimum(mine[here], mine[there])
        once = row < column
        ties = zip(row[once].tolist(), column[once].tolist(), layer[once].tolist(), strict=True)
        graph.add_edges_from((u, v, {"layer": near}) for u, v, near in ties)
        return graph


class Growing:
    """A graph to which finished rows are added; pages that are reserved but not yet used cost no memory."""

    def __init__(self, rows: int, entries: int) -> None:
        self.indptr: I64 = np.zeros(rows + 1, np.int64)
        self.indices: I32 = np.empty(entries, np.int32)
        self.rows = self.used = 0

    def add(self, degree: I64, indices: I32) -> None:
        """The next rows."""
        end, last = self.used + indices.size, self.rows + degree.size
        if end > self.indices.size:
            self.indices.resize(2 * end, refcheck=False)
        self.indptr[self.rows + 1 : last + 1] = np.cumsum(degree) + self.used
        self.indices[self.used : end] = indices
        self.rows, self.used = last, end

    def graph(self) -> SocialGraph:
        """What has been added."""
        self.indices.resize(self.used, refcheck=False)
        return SocialGraph(self.indptr, self.indices)


def ends_of(graph: "nx.Graph[int]") -> tuple[I64, I64]:
    """The two ends of every tie of a networkx graph on people 0..n-1."""
    ends = np.array(list(graph.edges()), np.int64).reshape(-1, 2)
    return ends[:, 0], ends[:, 1]


def kept_bits(n: int) -> int:
    """How many bits of a strength are told apart among n people: all 16 up to 16 million."""
    return min(_STRENGTH_BITS, 64 - 2 * width(n))


def each_once(n: int, u: Array, v: Array, strength: Strength) -> tuple[Array, Array, Strength]:
    """Ties u < v of n people, each once, at its greatest strength; ordered by (u, v)."""
    across = width(n)
    spare = kept_bits(n)
    packed = pack(u, v, across, np.invert(strength) >> np.uint16(_STRENGTH_BITS - spare), spare)
    packed.sort()
    pair = packed >> np.uint64(spare)
    first = np.ones(packed.size, np.bool_)
    np.not_equal(pair[1:], pair[:-1], out=first[1:])
    packed = packed[first]
    weak = field(packed, 0, spare).astype(np.uint16) << np.uint16(_STRENGTH_BITS - spare)
    return packed >> np.uint64(across + spare), field(packed, spare, across), np.invert(weak)


def by_strength(rows: int, columns: int, row: Array, column: Array, strength: Strength) -> tuple[I64, I32]:
    """Compress different entries into rows, strongest first: how many each row has, and the entries."""
    across = width(columns)
    spare = min(_STRENGTH_BITS, 64 - across - width(rows))
    packed = pack(row, np.invert(strength) >> np.uint16(_STRENGTH_BITS - spare), spare, column, across)
    packed.sort()
    degree = np.bincount(row.astype(np.int64, copy=False), minlength=rows)
    return degree, field(packed, 0, across).astype(np.int32)


def stack(graphs: Sequence[SocialGraph], columns: int | None = None) -> SocialGraph:
    """Graphs of several worlds as one block-diagonal graph; `columns` per world (default: as many as rows)."""
    if len(graphs) == 1:
        return graphs[0]
    starts = np.cumsum([0] + [graph.indices.size for graph in graphs])
    width = graphs[0].rows if columns is None else columns
    return SocialGraph(
        np.concatenate([*(g.indptr[:-1] + start for g, start in zip(graphs, starts[:-1], strict=True)), starts[-1:]]),
        np.concatenate([graph.indices + np.int32(world * width) for world, graph in enumerate(graphs)]),
        np.concatenate(layers) if (layers := [g.layer for g in graphs if g.layer is not None]) else None,
    )
