import numpy as np
import pytest
from scipy import stats

from sim import draws
from sim.world.circles import Circles, circles
from sim.world.community import by_networkx
from sim.world.graph import SocialGraph
from sim.world.params import GraphParams
from sim.world.strength import common_friends
from tests.world.measures import SEED, assortativity, clustering, layers

pytestmark = pytest.mark.slow  # `make test` runs it


def test_people_have_the_ties_that_they_want(composed: SocialGraph, where: Circles) -> None:
    degree = composed.degree
    assert degree.mean() == pytest.approx(20.0, rel=0.03)
    for p in (0.1, 0.25, 0.5, 0.75, 0.9, 0.99):
        assert np.quantile(degree, p) == pytest.approx(np.quantile(where.ties, p), rel=0.06, abs=1)
    assert np.log(np.maximum(degree, 1)).std() == pytest.approx(0.94, abs=0.05)
    assert np.corrcoef(degree, where.ties)[0, 1] > 0.97


def test_ties_go_both_ways_and_never_to_oneself(composed: SocialGraph) -> None:
    owner, friend = composed.owner().astype(np.int64), composed.indices.astype(np.int64)
    n = composed.rows
    assert (owner != friend).all()
    assert np.array_equal(np.sort(owner * n + friend), np.sort(friend * n + owner))
    assert np.unique(owner * n + friend).size == owner.size


def test_clustering_is_that_of_the_facts(composed: SocialGraph) -> None:
    found = clustering(composed, np.arange(0, composed.rows, 10))
    assert 0.08 <= found.mean() <= 0.25
    assert found.mean() == pytest.approx(0.14, abs=0.02)


def test_degrees_are_assortative(composed: SocialGraph) -> None:
    assert 0.1 < assortativity(composed) < 0.35


def test_nearly_everybody_can_be_reached(composed: SocialGraph) -> None:
    reached = np.zeros(composed.rows, np.bool_)
    reached[0], front = True, np.array([0])
    while front.size:
        after = np.unique(np.concatenate([composed.row(i) for i in front.tolist()]))
        front = after[~reached[after]]
        reached[front] = True
    assert reached.mean() > 0.99


def test_the_closest_are_family_and_the_last_are_acquaintances(composed: SocialGraph, where: Circles) -> None:
    owner = composed.owner()
    shares = [where.member[kind][owner] == where.member[kind][composed.indices] for kind in range(3)]
    family = [shares[0][layers(composed) == layer].mean() for layer in range(3)]
    known = [np.any(shares, axis=0)[layers(composed) == layer].mean() for layer in range(3)]
    assert family[0] > 2 * family[1] > 4 * family[2]
    assert known[0] > known[1] > known[2]


def test_closer_friends_have_more_friends_in_common(composed: SocialGraph) -> None:
    owner, once = composed.owner(), composed.owner() < composed.indices
    common = common_friends(composed.rows, owner[once], composed.indices[once])
    degree = composed.degree[owner[once]]
    among_equals = (degree > 30) & (degree < 50)
    layer, common = layers(composed)[once][among_equals], common[among_equals]
    assert stats.spearmanr(layer, common).statistic < -0.2


def test_same_seed_same_graph() -> None:
    keys = draws.keys(SEED, "user", 400)
    where = circles(SEED, keys, GraphParams())
    first, again, other = (by_networkx(seed, keys, where) for seed in (SEED, SEED, SEED + 1))
    assert np.array_equal(again.indices, first.indices)
    assert not np.array_equal(other.indices[:1000], first.indices[:1000])
