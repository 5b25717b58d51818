"""One society of each engine, built once for all tests of the social graph."""

import pytest

from sim import draws
from sim.units import U64
from sim.world.circles import Circles, circles
from sim.world.community import by_networkx
from sim.world.graph import SocialGraph
from sim.world.native import by_arrays
from sim.world.params import GraphParams
from tests.world.measures import PEOPLE, SEED


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
