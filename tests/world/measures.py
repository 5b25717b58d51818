"""What is measured on a social graph, written without the package's own machinery."""

import numpy as np

from sim.units import F64, I64
from sim.world.graph import Layers, SocialGraph

PEOPLE = 20_000
SEED = 3


def layers(graph: SocialGraph) -> Layers:
    """The layer of every entry."""
    return graph.layers(graph.owner(), np.arange(graph.indices.size))


def clustering(graph: SocialGraph, people: I64) -> F64:
    """Share of a person's pairs of friends who know each other; 0 for fewer than two friends."""
    out = np.zeros(people.size)
    for i, person in enumerate(people.tolist()):
        friends = graph.row(person)
        if friends.size > 1:
            known = set(friends.tolist())
            closed = sum(len(known.intersection(graph.row(friend).tolist())) for friend in friends.tolist())
            out[i] = closed / (friends.size * (friends.size - 1))
    return out


def assortativity(graph: SocialGraph) -> float:
    """Correlation of the degrees at the two ends of a tie."""
    degree = graph.degree
    return float(np.corrcoef(degree[graph.owner()], degree[graph.indices])[0, 1])
