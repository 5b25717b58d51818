"""The world is the same one, to the bit, with its twins and without."""

import numpy as np
import pytest

from sim import draws, fast
from sim.kernels import threads
from sim.world.build import _made
from sim.world.circles import circles
from sim.world.graph import SocialGraph
from sim.world.native import by_arrays
from sim.world.params import GraphParams, WorldParams

PARAMS = WorldParams(people={"count": 30_000}, graph={"engine": "native"}, groups={"size": 25.0, "size_spread": 1.2})


def same(one: SocialGraph, other: SocialGraph) -> bool:
    return np.array_equal(one.indptr, other.indptr) and np.array_equal(one.indices, other.indices)


@pytest.mark.parametrize("cores", [1, 3])
def test_people_ties_and_groups_are_equal(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with_twins = _made(PARAMS, 5)
    monkeypatch.setattr(fast, "present", False)
    monkeypatch.setattr(threads, "cores", lambda: cores)
    without = _made(PARAMS, 5)
    assert same(with_twins.graph, without.graph)
    assert same(with_twins.groups, without.groups)
    assert same(with_twins.members, without.members)
    for trait, column in with_twins.people.items():
        assert np.array_equal(column, without.people[trait]), trait


@pytest.mark.parametrize(("n", "degree"), [(1, 1.0), (2, 20.0), (3, 1.0), (40, 20.0), (3_000, 200.0)])
def test_small_and_dense_worlds_are_equal(n: int, degree: float, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = draws.keys(2, "user", n)
    where = circles(2, keys, GraphParams(mean_degree=degree))
    with_twins = by_arrays(keys, where)
    monkeypatch.setattr(fast, "present", False)
    assert same(with_twins, by_arrays(keys, where))


@pytest.mark.slow
def test_strengths_give_way_alike_when_people_are_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among 2^27 people 10 bits of a strength are told apart: of what is then equal, the lower number stands first."""
    from sim.world.native import _ordered

    n, first, people = 2**27, 5_000, 60
    rng = np.random.default_rng(1)
    low = rng.integers(first, first + people, 2_000)
    high = np.where(rng.random(2_000) < 0.7, rng.integers(first, first + people, 2_000), rng.integers(0, n, 2_000))
    low, high = np.minimum(low, high), np.maximum(low, high)
    real = low != high
    force = rng.integers(0, 65_536, 2_000).astype(np.uint16)[real]
    both = []
    for twins in (True, False):
        monkeypatch.setattr(fast, "present", twins)
        both.append(_ordered((first, first + people, n), low[real], high[real], force))
    assert np.array_equal(both[0][0], both[1][0])
    assert np.array_equal(both[0][1], both[1][1])
