"""One society of each engine, built once for all tests of the social graph."""

import numpy as np
import pytest

from sim import draws
from sim.units import U64, F64, I64
from sim.world.circles import Circles, circles
from sim.world.community import by_networkx
from sim.world.graph import SocialGraph
from sim.world.native import by_arrays
from sim.world.params import GraphParams

PEOPLE = 20_000
SEED = 3


@pytest.fixture(scope="session")
def keys() -> U64:
    return draws.keys(SEED, "user", PEOPLE)


@pytest.fixture(scope="session")
def where(keys: U64) -> Circles:
    return circles(SEED, keys, GraphParams())


@pytest.fixture(scope="session")
def composed(keys: U64, where: Circles) -> SocialGraph:
    return by_networkx(SEED, keys, where)


@pytest.fixture(scope="session")
def native(keys: U64, where: Circles) -> SocialGraph:
    return by_arrays(keys, where)


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
