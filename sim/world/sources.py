"""Graphs from elsewhere: any networkx generator by its name, or a file that networkx reads.

People are numbered by the order of the graph's own names (numbers by size, anything else by alphabet). Ties are as
strong as their weight, if every tie has one, and otherwise as the overlap of the two circles of friends.
"""

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim import draws
from sim.units import F64, I32, I64, U64
from sim.words import _
from sim.world.graph import SocialGraph, ends_of
from sim.world.params import GeneratorParams, GraphParams, WorldParams
from sim.world.strength import common_friends, strength

if TYPE_CHECKING:
    import networkx as nx

_NEAR = 15  # the strongest ties by which communities are found
_STRONG = 2.0  # closeness of the heaviest ties; as close as the closest circles of the default model


def check(params: WorldParams) -> None:
    """Raise ValueError, written for the scenario's author, if the graph cannot be had or has another size."""
    if params.graph.networkx is not None or params.graph.file is not None:
        outside(params.graph, params.people.count, 0)


def outside(params: GraphParams, count: int, seed: int) -> "nx.Graph[int]":
    """The graph that the scenario names, on people 0..count-1, without loops."""
    graph = read(params.file) if params.file is not None else generate(params.networkx, count, seed)
    if graph.number_of_nodes() != count:
        people = graph.number_of_nodes()
        raise ValueError(
            _(
                "the graph has {people} people, the world {count}; write people: {{count: {people}}}",
                people=people,
                count=count,
            )
        )
    return graph


def tied(graph: "nx.Graph[int]", keys: U64) -> SocialGraph:
    """The graph of these people, its ties ordered by strength."""
    u, v = ends_of(graph)
    u, v = np.minimum(u, v), np.maximum(u, v)
    weight = _weights(graph)
    closeness = _ranked(_overlap(keys.size, u, v) if weight is None else weight)
    return SocialGraph.from_edges(keys.size, u, v, strength(keys, u, v, closeness, 0.0))


def communities(graph: SocialGraph, keys: U64) -> I32:
    """The community of each person, numbered from 0: she joins the highest-ranked of her 15 closest friends.

    Ranks are drawn from keys, so that a community is a person of high rank with those to whom she is the first
    (pivot clustering: Ailon, Charikar and Newman 2008).
    """
    rank = draws.bits("world.sources/pivot", keys)
    owner, place = graph.owner(), np.arange(graph.indices.size) - np.repeat(graph.indptr[:-1], graph.degree)
    near = place < _NEAR
    best = rank.copy()
    np.minimum.at(best, owner[near], rank[graph.indices[near]])
    pivots, label = np.unique(best, return_inverse=True)
    del pivots
    return label.astype(np.int32)


# ------------------------------------------------------------------------------------------- networkx generators


def generators() -> dict[str, Callable[..., Any]]:
    """The functions of networkx.generators by name."""
    import networkx.generators as library

    return {
        name: value
        for name, value in vars(library).items()
        if callable(value) and not name.startswith("_") and value.__module__.startswith("networkx.generators")
    }


def generate(params: GeneratorParams | None, count: int, seed: int) -> "nx.Graph[int]":
    """A graph from the named generator; `n` and `seed` are filled in where it takes them and they are not given."""
    import networkx as nx

    assert params is not None
    known = generators()
    if params.generator not in known:
        close = get_close_matches(params.generator, known, 1)
        said = _("networkx has no generator {name!r}", name=params.generator)
        hint = _("did you mean {word!r}?", word=close[0]) if close else ""
        raise ValueError(_("{wrong}; {instead}", wrong=said, instead=hint) if close else said)
    function = known[params.generator]
    given = {"n": count, "seed": int(draws.keys(seed, "generator", 1)[0]) % 2**32}
    takes = inspect.signature(function).parameters
    arguments = {name: value for name, value in given.items() if name in takes} | params.arguments
    try:
        graph = function(**arguments)
    except Exception as error:  # whatever a foreign function makes of the author's arguments is told to the author
        raise ValueError(_("networkx.{generator}: {error}", generator=params.generator, error=error)) from error
    if not isinstance(graph, nx.Graph):
        raise ValueError(
            _("networkx.{generator} does not return a graph; name one that does", generator=params.generator)
        )
    return numbered(graph)


# ------------------------------------------------------------------------------------------- files


def read(path: Path) -> "nx.Graph[int]":
    """The graph in a file: edge list (.txt, .edgelist, .csv), GraphML or GEXF, each also with .gz."""
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _read(path: Path, changed: int, size: int) -> "nx.Graph[int]":
    """`changed` and `size` make a changed file a new one."""
    import networkx as nx

    kind = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    readers: dict[str, Callable[[Path], Any]] = {
        "txt": _edge_list, "edgelist": _edge_list, "csv": _edge_list, "graphml": nx.read_graphml, "gexf": nx.read_gexf,
    }  # fmt: skip
    if kind not in readers:
        raise ValueError(
            _(
                "cannot read {name!r} as a graph; its name must end in one of: {readers}",
                name=path.name,
                readers=", ".join(readers),
            )
        )
    try:
        return numbered(readers[kind](path))
    except (OSError, ValueError, TypeError, SyntaxError, nx.NetworkXException) as error:
        raise ValueError(_("cannot read {name!r} as a graph: {error}", name=path.name, error=error)) from error


def _edge_list(path: Path) -> Any:
    """Lines of two names, and a weight if every line has one."""
    import networkx as nx

    comma = "," if ".csv" in path.suffixes else None  # white space otherwise
    try:
        return nx.read_weighted_edgelist(path, delimiter=comma)
    except (IndexError, TypeError):
        return nx.read_edgelist(path, delimiter=comma, data=False)


def numbered(graph: "nx.Graph[Any]") -> "nx.Graph[int]":
    """The same simple undirected graph on 0..n-1, in the order of its own names, without loops."""
    import networkx as nx

    if graph.is_directed():
        raise ValueError(_("ties must be undirected; make it a networkx Graph first"))
    number = {name: i for i, name in enumerate(_in_order(list(graph)))}
    out: nx.Graph[int] = nx.empty_graph(len(number))
    out.add_edges_from((number[u], number[v], data) for u, v, data in graph.edges(data=True) if u != v)
    return out


def _in_order(names: list[Any]) -> list[Any]:
    """Names that are numbers by size, others by alphabet."""
    for key in (int, lambda name: name, str):
        try:
            return sorted(names, key=key)
        except (TypeError, ValueError):
            continue
    return names


def _weights(graph: "nx.Graph[int]") -> F64 | None:
    """Weights of all ties, or None where a tie has none."""
    weights = [data.get("weight") for _, _, data in graph.edges(data=True)]
    return np.array(weights, np.float64) if all(isinstance(weight, (int, float)) for weight in weights) else None


def _overlap(n: int, u: I64, v: I64) -> F64:
    """Common friends as a share of all friends of the two, 0..1 (Onnela et al. 2007)."""
    degree = np.bincount(u, minlength=n) + np.bincount(v, minlength=n)
    common = common_friends(n, u, v)
    return common / np.maximum(degree[u] + degree[v] - 2 - common, 1)


def _ranked(values: F64) -> F64:
    """Closeness by rank: 0 for the lowest, as in the closest circles for the highest; equal values are equal."""
    different, rank = np.unique(values, return_inverse=True)
    return _STRONG * rank / max(different.size - 1, 1)
