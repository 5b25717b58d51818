"""The default social graph: overlapping circles plus acquaintances, composed of networkx generators.

Inside each family, workplace and class two people know each other with probability w_u w_v / sum(w) (Chung and Lu
2002), where w is the share of a person's wanted ties that such a circle provides. What is then missing to the wanted
number is filled with acquaintances: half-ties paired at random in the region or anywhere (configuration model).
`sim.world.native` draws the same model without an object per person.
"""

import numpy as np

from sim import draws
from sim.units import I64, U64, Array
from sim.world.circles import KINDS, SHARE, Circles
from sim.world.graph import SocialGraph, ends_of
from sim.world.strength import community_strength


def by_networkx(seed: int, keys: U64, where: Circles) -> SocialGraph:
    """The community graph of the people with these keys; networkx is seeded from addressed draws."""
    origin = draws.keys(seed, "networkx", 1)[0]
    parts = [_circle_ties(origin, where, kind) for kind in range(len(SHARE))]
    known = sum(np.bincount(ends.ravel(), minlength=keys.size) for ends in parts)
    parts.append(_acquaintances(origin, where, np.maximum(where.ties - where.far - known, 0)))
    kind = np.repeat(np.arange(len(KINDS)), [len(ends) for ends in parts])
    ends = np.concatenate(parts)
    u, v = ends.min(axis=1), ends.max(axis=1)
    return SocialGraph.from_edges(keys.size, u, v, community_strength(keys, where, u, v, kind))


def _circle_ties(origin: np.uint64, where: Circles, kind: int) -> I64:
    """Ties inside every circle of one kind, an expected-degree graph each; shape (ties, 2)."""
    from networkx import expected_degree_graph

    label = where.member[kind]
    order = np.argsort(label, kind="stable")
    cuts = np.cumsum(np.bincount(label)).tolist()
    weights = (SHARE[KINDS[kind]] * where.ties[order]).tolist()
    ties: list[tuple[int, int]] = []
    start = 0
    for end, seed in zip(cuts, _seeds(origin, kind, len(cuts)), strict=True):
        if end - start > 1:
            graph = expected_degree_graph(weights[start:end], seed=seed, selfloops=False)
            ties.extend((start + a, start + b) for a, b in graph.edges())
        start = end
    return order[np.array(ties, np.int64).reshape(-1, 2)]


def _acquaintances(origin: np.uint64, where: Circles, near: Array) -> I64:
    """Half-ties paired at random: a configuration model per region and one for everywhere; shape (ties, 2)."""
    cuts = np.cumsum(np.bincount(where.region)).tolist()
    spans = [*zip([0, *cuts[:-1]], cuts, strict=True)]
    parts = [(start, near[start:end]) for start, end in spans] + [(0, where.far)]
    seeds = _seeds(origin, len(SHARE), len(parts))
    return np.concatenate([start + _paired(half, seed) for (start, half), seed in zip(parts, seeds, strict=True)])


def _paired(halves: Array, seed: int) -> I64:
    """Ties of a configuration model; an odd half-tie is dropped, and so are doubles."""
    from networkx import Graph, configuration_model

    wanted = halves.copy()
    wanted[np.argmax(wanted)] -= wanted.sum() % 2
    graph = configuration_model(wanted.tolist(), create_using=Graph, seed=seed)
    return np.stack(ends_of(graph), axis=1)


def _seeds(origin: np.uint64, what: int, count: int) -> list[int]:
    """Seeds for networkx, one per circle."""
    seeds: list[int] = draws.bits("world.community/seed", origin, np.arange(count) * len(KINDS) + what).tolist()
    return seeds
