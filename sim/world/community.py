"""The default social graph: overlapping circles plus acquaintances, drawn by networkx or natively.

Inside each family, workplace and class two people know each other with probability w_u w_v / sum(w) (Chung and Lu
2002), where w is the share of a person's wanted ties that such a circle provides. What is then missing to the wanted
number is filled with acquaintances: half-ties paired at random within the region, or anywhere (configuration model).

networkx composes it from `expected_degree_graph` and `configuration_model`; the native engine draws the same model
with arrays only, for any number of people (`sim.world.native`).
"""

import numpy as np

from sim import draws
from sim.units import F64, I32, I64, U64
from sim.world.circles import KINDS, NEAR, SHARE, Circles
from sim.world.graph import SocialGraph
from sim.world.strength import community_strength

Ties = tuple[I32, I32, I32]  # two ends and the kind of circle


def by_networkx(seed: int, keys: U64, where: Circles) -> SocialGraph:
    """The community graph composed of networkx generators."""
    origin = draws.keys(seed, "networkx", 1)[0]
    found = [_circle_ties(origin, where, kind) for kind in range(len(SHARE))]
    u, v = (np.concatenate(ends) for ends in zip(*found, strict=True))
    kind = np.repeat(np.arange(len(SHARE), dtype=np.int8), [ends[0].size for ends in found])
    missing = np.maximum(where.ties - np.bincount(u, minlength=keys.size) - np.bincount(v, minlength=keys.size), 0)
    far_u, far_v = _acquaintances(origin, keys, where, missing)
    kind = np.concatenate([kind, np.full(far_u.size, KINDS.index("city"), np.int8)])
    return community_graph(keys, where, np.concatenate([u, far_u]), np.concatenate([v, far_v]), kind)


def _circle_ties(origin: np.uint64, where: Circles, kind: int) -> tuple[I64, I64]:
    """Ties inside every circle of one kind: an expected-degree graph each."""
    from networkx import expected_degree_graph

    label = where.member[kind]
    order = np.argsort(label, kind="stable")
    cuts = np.cumsum(np.bincount(label))
    seeds = draws.bits("world.community/circle", origin, np.arange(cuts.size) * len(KINDS) + kind).tolist()
    weights = (SHARE[KINDS[kind]] * where.ties[order]).tolist()
    ties: list[tuple[int, int]] = []
    start = 0
    for end, seed in zip(cuts.tolist(), seeds, strict=True):
        graph = expected_degree_graph(weights[start:end], seed=seed, selfloops=False)
        ties.extend((start + a, start + b) for a, b in graph.edges())
        start = end
    ends = order[np.array(ties, np.int64).reshape(-1, 2)]
    return ends[:, 0], ends[:, 1]


def _acquaintances(origin: np.uint64, keys: U64, where: Circles, missing: I64) -> tuple[I64, I64]:
    """Pair the missing half-ties at random: a configuration model per region and one for everywhere."""
    near, far = split_halves(keys, missing)
    regions = np.cumsum(np.bincount(where.region)).tolist()
    spans = [(start, end, near) for start, end in zip([0, *regions[:-1]], regions, strict=True)]
    spans.append((0, keys.size, far))
    seeds = draws.bits("world.community/acquaintances", origin, np.arange(len(spans))).tolist()
    parts = [_paired(halves[start:end], start, seed) for (start, end, halves), seed in zip(spans, seeds, strict=True)]
    ends = np.concatenate(parts)
    return ends[:, 0], ends[:, 1]


def _paired(halves: I64, first: int, seed: int) -> I64:
    """Ties of a configuration model on people first, first + 1, ...; an odd half-tie is dropped."""
    from networkx import configuration_model

    wanted = halves.copy()
    if wanted.sum() % 2:
        wanted[np.flatnonzero(wanted)[0]] -= 1
    graph = configuration_model(wanted.tolist(), seed=seed)
    return first + np.array(list(graph.edges(keys=False)), np.int64).reshape(-1, 2)


def split_halves(keys: U64, missing: I64) -> tuple[I64, I64]:
    """Half-ties of each person to the region, and to anywhere."""
    share = missing * NEAR
    near = np.floor(share + draws.uniform("world.community/near", keys)).astype(np.int64)
    return near, missing - near


def community_graph(keys: U64, where: Circles, u: I64, v: I64, kind: np.ndarray) -> SocialGraph:
    """The graph of these ties, each once (the closest kind counts), ordered by strength."""
    low, high = np.minimum(u, v), np.maximum(u, v)
    strength = community_strength(keys, where, low, high, kind)
    order = np.lexsort((-strength.astype(np.int64), high, low))
    low, high, strength = low[order], high[order], strength[order]
    once = (low != high) & np.concatenate([[True], (low[1:] != low[:-1]) | (high[1:] != high[:-1])])
    return SocialGraph.from_edges(keys.size, low[once], high[once], strength[once])
