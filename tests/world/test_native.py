import numpy as np
import pytest

from sim import draws
from sim.units import U64
from sim.world import native as module
from sim.world.circles import Circles, circles
from sim.world.graph import SocialGraph
from sim.world.native import by_arrays
from sim.world.params import GraphParams
from tests.world.measures import assortativity, clustering, layers

pytestmark = pytest.mark.slow  # `make test` runs it


def test_native_agrees_with_networkx(native: SocialGraph, composed: SocialGraph) -> None:
    """Two draws of one model: tolerances are four standard deviations of the difference over seeds."""
    ours, theirs = native.degree, composed.degree
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.002)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.006)
    for p in (0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
        assert np.quantile(ours, p) == pytest.approx(np.quantile(theirs, p), rel=0.02, abs=1)
    sample = np.arange(0, native.rows, 5)
    assert clustering(native, sample).mean() == pytest.approx(clustering(composed, sample).mean(), abs=0.009)
    assert assortativity(native) == pytest.approx(assortativity(composed), abs=0.013)


def test_native_agrees_in_who_knows_whom(native: SocialGraph, composed: SocialGraph, where: Circles) -> None:
    for member in (*where.member, where.region):
        ours, theirs = ((member[graph.owner()] == member[graph.indices]).mean() for graph in (native, composed))
        assert ours == pytest.approx(theirs, abs=0.01)
    for layer in range(4):
        assert (layers(native) == layer).mean() == pytest.approx((layers(composed) == layer).mean(), abs=0.01)


def test_ties_go_both_ways_and_never_to_oneself(native: SocialGraph) -> None:
    owner, friend = native.owner().astype(np.int64), native.indices.astype(np.int64)
    n = native.rows
    assert (owner != friend).all()
    assert np.array_equal(np.sort(owner * n + friend), np.sort(friend * n + owner))
    assert np.unique(owner * n + friend).size == owner.size


@pytest.mark.parametrize(("run", "pairs"), [(1, 1_000), (10**9, 10**9)])
def test_the_graph_does_not_depend_on_how_it_is_cut(
    keys: U64, where: Circles, native: SocialGraph, monkeypatch: pytest.MonkeyPatch, run: int, pairs: int
) -> None:
    monkeypatch.setattr("sim.world.circles._RUN", run)
    monkeypatch.setattr(module, "_PAIRS", pairs)
    again = by_arrays(keys, where)
    assert np.array_equal(again.indptr, native.indptr)
    assert np.array_equal(again.indices, native.indices)


def test_room_is_made_when_people_know_more_than_they_want(
    keys: U64, where: Circles, native: SocialGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLACK", 0.01)
    assert np.array_equal(by_arrays(keys, where).indices, native.indices)


def test_a_circle_knows_each_other_as_chung_and_lu_say() -> None:
    """In a circle of 12 with equal weights w, each pair is a tie with probability w / 12."""
    keys = draws.keys(5, "user", 12_000)
    people = module._Run(0, keys, np.full(12_000, 10, np.int32))
    u, v, _ = people.circle(np.repeat(np.arange(1_000, dtype=np.int32), 12), kind=1)
    pairs = 1_000 * 66
    chance = 0.5 * 10 / 12  # work provides half of the ties
    assert abs(u.size / pairs - chance) < 4 * np.sqrt(chance * (1 - chance) / pairs)
    assert (u // 12 == v // 12).all()
    assert (u < v).all()


@pytest.mark.parametrize("n", [2, 3, 40])
def test_small_worlds(n: int) -> None:
    keys = draws.keys(1, "user", n)
    graph = by_arrays(keys, circles(1, keys, GraphParams()))
    assert graph.rows == n
    assert (graph.degree < n).all()
