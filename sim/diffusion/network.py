"""The network that something spreads on: compressed sparse rows, entry u -> v meaning that u can reach v."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.units import F64, I32, I64, Array
from sim.words import _


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """n nodes and m directed ties. Made by `network`, which checks what it is given.

    `indptr` (n + 1,) and `indices` (m,): node u reaches ``indices[indptr[u]:indptr[u + 1]]``. An undirected tie
    stands in both rows. `weight` (m,), if given, is what a tie carries: a probability, or an influence; rows are then
    ordered by it, largest first, which is what lets a cascade skip. `layer` (m,), if given, is a small number per tie
    that does not fall along a row (Dunbar's layers: closest first). `labels` are the nodes' names, in order.
    """

    indptr: I64
    indices: I32
    weight: F64 | None = None
    layer: Array | None = None
    labels: tuple[Hashable, ...] | None = None
    heaviest: float = 0.0  # the largest weight

    @property
    def n(self) -> int:
        """How many nodes."""
        return int(self.indptr.size) - 1

    @property
    def m(self) -> int:
        """How many directed ties."""
        return int(self.indices.size)

    def in_degree(self) -> I64:
        """How many nodes can reach each, shape (n,)."""
        return np.bincount(self.indices, minlength=self.n)

    def owner(self) -> I64:
        """The node whose row each entry stands in, shape (m,)."""
        return np.arange(self.n).repeat(np.diff(self.indptr))

    def numbers(self, nodes: Any) -> I64:
        """The numbers of nodes that are given by label, or by number if there are no labels; each once, ascending.

        KeyError or IndexError for nodes that are not in the network.
        """
        if self.labels is not None:
            place, nodes = dict(zip(self.labels, range(self.n), strict=True)), list(nodes)
            if foreign := [node for node in nodes if node not in place]:
                raise KeyError(
                    _(
                        "the network has no node {node!r}; its nodes are labelled as {label!r} is",
                        node=foreign[0],
                        label=self.labels[0],
                    )
                )
            nodes = [place[node] for node in nodes]
        try:
            out = np.unique(np.asarray(nodes, np.int64).reshape(-1))
        except (TypeError, ValueError):
            raise KeyError(
                _("nodes are numbered 0 to {last}; none is called {nodes!r}", last=self.n - 1, nodes=nodes)
            ) from None
        if out.size and (out[0] < 0 or out[-1] >= self.n):
            raise IndexError(
                _(
                    "nodes are numbered 0 to {last}; there is none of number {numbers}",
                    last=self.n - 1,
                    numbers=out[[0, -1]].tolist(),
                )
            )
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Factored:
    """A probability per tie as a product: sender[u] · levels[layer of the tie] · receiver[v], each in [0, 1].

    `sender` and `receiver`: (n,), or one number for all; `levels` must not rise with the layer. A cascade skips at the
    sender's and the layer's part and thins by the receiver's: so let the largest receiver be near 1. ValueError if a
    factor is out of range.
    """

    sender: F64 | float = 1.0
    receiver: F64 | float = 1.0
    levels: Sequence[float] | F64 = (1.0,)

    def __post_init__(self) -> None:
        for name in ("sender", "receiver", "levels"):
            factor = np.ascontiguousarray(getattr(self, name), np.float64)
            if not ((factor >= 0) & (factor <= 1)).all():
                raise ValueError(_("{name} must lie in 0 to 1", name=name))
            object.__setattr__(self, name, factor)
        if (np.diff(np.asarray(self.levels)) > 0).any():
            raise ValueError(_("levels must not rise"))


def network(graph: Any, weight: Any = None) -> Network:
    """The network of a graph.

    `graph`: networkx Graph or DiGraph (multiple ties count once), a scipy.sparse matrix (row u, column v), a tuple
    (indptr, indices), anything that has these two as attributes (`sim.SocialGraph`), or a Network.
    `weight`: the name of a networkx attribute, True for the values of a sparse matrix, or an array (m,) in the order
    of the entries; not negative. ValueError if the parts do not fit together.
    """
    if isinstance(graph, Network) and weight is None:
        return graph
    if hasattr(graph, "adj"):
        return _from_networkx(graph, weight)
    if hasattr(graph, "tocsr"):
        graph = graph.tocsr()
        weight = graph.data if weight is True else weight
    labels, layer = getattr(graph, "labels", None), getattr(graph, "layer", None)
    indptr, indices = graph if isinstance(graph, tuple) else (graph.indptr, graph.indices)
    if hasattr(graph, "layers"):  # of a social graph they follow from the place in the row
        entry = np.arange(indices.size)
        layer = graph.layers(np.searchsorted(indptr, entry, side="right") - 1, entry)
    return _checked(indptr, indices, weight, layer, labels)


def _from_networkx(graph: Any, weight: Any) -> Network:
    labels = tuple(graph)
    place = dict(zip(labels, range(len(labels)), strict=True))
    rows: list[Mapping[Any, Any]] = [graph.adj[node] for node in labels]
    indptr = np.cumsum([0, *(len(row) for row in rows)])
    indices = np.fromiter((place[v] for row in rows for v in row), np.int64, int(indptr[-1]))
    if isinstance(weight, str):
        weight = np.array([tie[weight] for row in rows for tie in row.values()], np.float64)
    named = labels != tuple(range(len(labels)))  # nodes that are called by their numbers need no names
    return _checked(indptr, indices, weight, None, labels if named else None)


def _checked(indptr: Any, indices: Any, weight: Any, layer: Any, labels: Any) -> Network:
    """The parts as a Network, or ValueError."""
    indptr, indices = np.asarray(indptr, np.int64), np.asarray(indices)
    if indptr.ndim != 1 or not indptr.size or indptr[0] != 0 or (np.diff(indptr) < 0).any():
        raise ValueError(_("indptr must be a vector that begins with 0 and never falls"))
    if indices.shape != (indptr[-1],):
        raise ValueError(
            _(
                "indptr says that there are {count} entries; indices has shape {shape}",
                count=indptr[-1],
                shape=indices.shape,
            )
        )
    if indices.size and not (indices.min() >= 0 and indices.max() < indptr.size - 1):
        raise ValueError(_("indices must lie in 0 to {last}, the numbers of the nodes", last=indptr.size - 2))
    found = Network(indptr, np.ascontiguousarray(indices, np.int32), None, layer, labels)
    if layer is not None and (np.diff(layer.astype(np.int64))[_inside(indptr)] < 0).any():
        raise ValueError(_("layer must not fall along a row: closest ties first"))
    return found if weight is None else _ordered(found, np.asarray(weight, np.float64))


def _ordered(found: Network, weight: F64) -> Network:
    """The network with these weights, and its rows ordered by them."""
    if weight.shape != (found.m,):
        raise ValueError(
            _(
                "weight must have one number for each of the {count} entries; its shape is {shape}",
                count=found.m,
                shape=weight.shape,
            )
        )
    if not (weight >= 0).all():
        raise ValueError(_("weight must not be negative"))
    indices, layer = found.indices, found.layer
    if (np.diff(weight)[_inside(found.indptr)] > 0).any():
        order = np.lexsort((-weight, found.owner()))  # stable: equal ones stay in order
        indices, weight, layer = indices[order], weight[order], None
    return Network(found.indptr, indices, weight, layer, found.labels, float(weight.max(initial=0.0)))


def _inside(indptr: I64) -> Array:
    """Which differences of neighbouring entries are within one row, shape (m - 1,)."""
    out = np.ones(max(int(indptr[-1]) - 1, 0), np.bool_)
    border = indptr[1:-1] - 1
    out[border[(border >= 0) & (border < out.size)]] = False
    return out
