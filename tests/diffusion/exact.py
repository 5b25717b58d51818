"""Oracles: every possible world of a small graph, and a plain loop."""

from collections import defaultdict
from itertools import product

import numpy as np


def reached(n, ties, seeds):
    """Which nodes the seeds reach over these ties, as a bit mask."""
    out, new = set(seeds), list(seeds)
    while new:
        u = new.pop()
        for v in (b for a, b in ties if a == u and b not in out):
            out.add(v)
            new.append(v)
    return sum(1 << v for v in out)


def cascade_law(n, chance, seeds):
    """Probability of each reached set: all 2**m worlds of live ties. `chance`: {(u, v): p}."""
    law, ties = defaultdict(float), list(chance)
    for live in product((False, True), repeat=len(ties)):
        p = np.prod([chance[tie] if on else 1 - chance[tie] for tie, on in zip(ties, live, strict=True)])
        law[reached(n, [tie for tie, on in zip(ties, live, strict=True) if on], seeds)] += p
    return law


def threshold_law(n, influence, seeds):
    """The same for linear thresholds: each node picks one tie that leads to it, or none (Kempe et al. 2003)."""
    into = [[(u, b) for (u, v), b in influence.items() if v == node] for node in range(n)]
    picks = [[*ties, (None, 1 - sum(b for _, b in ties))] for ties in into]
    law = defaultdict(float)
    for world in product(*picks):
        ties = [(u, v) for v, (u, _) in enumerate(world) if u is not None]
        law[reached(n, ties, seeds)] += np.prod([b for _, b in world])
    return law


def exposure_law(n, ties, response, seeds):
    """The same for complex contagion: all numbers of exposures that nodes may need."""
    most = max(sum(v == node for _, v in ties) for node in range(n))
    each = [response[min(k, len(response) - 1)] for k in range(most)]
    need = [each[k] * np.prod([1 - p for p in each[:k]]) for k in range(most)]
    law = defaultdict(float)
    for world in product(range(most + 1), repeat=n):
        p = np.prod([need[k] if k < most else 1 - sum(need) for k in world])
        out, grew = set(seeds), True
        while grew:
            more = {v for v in range(n) if sum(u in out for u, w in ties if w == v) > world[v]}
            grew = not more <= out
            out |= more
        law[sum(1 << v for v in out)] += p
    return law


def plain_cascade(net, seeds, p, rng):
    """How many an independent cascade reaches, with a coin for every tie."""
    out, new = set(seeds), list(seeds)
    while new:
        u = new.pop()
        row = net.indices[net.indptr[u] : net.indptr[u + 1]]
        for v in row[rng.random(row.size) < p].tolist():
            if v not in out:
                out.add(v)
                new.append(v)
    return len(out)
