import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import draws
from sim.world.circles import Circles
from sim.world.graph import SocialGraph, ends_of
from sim.world.strength import CLOSENESS, common_friends, community_strength, strength


@given(st.integers(2, 25), st.floats(0, 1), st.integers(0, 99))
def test_common_friends_by_hand(n: int, p: float, seed: int) -> None:
    graph = nx.gnp_random_graph(n, p, seed=seed)
    u, v = ends_of(graph)
    wanted = [len(set(graph[a]) & set(graph[b])) for a, b in graph.edges()]
    assert common_friends(n, u, v).tolist() == wanted


def test_common_friends_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = nx.gnp_random_graph(100, 0.2, seed=1)
    u, v = ends_of(graph)
    whole = common_friends(100, u, v)
    monkeypatch.setattr("sim.world.strength._ROWS", 7)
    assert np.array_equal(common_friends(100, u, v), whole)


def test_closer_circles_and_common_friends_make_stronger_ties() -> None:
    n = 2_000
    keys, u = draws.keys(1, "user", n), np.arange(n - 1)
    for less, more in zip(CLOSENESS[::-1], CLOSENESS[-2::-1], strict=False):
        assert (strength(keys, u, u + 1, less, 2.0) <= strength(keys, u, u + 1, more, 2.0)).all()
    assert (strength(keys, u, u + 1, 1.0, 0.0) < strength(keys, u, u + 1, 1.0, 5.0)).all()
    luck = strength(keys, u, u + 1, 0.0, 0.0)
    assert np.unique(luck).size > 0.9 * n  # ties of strength are rare
    assert strength(keys, u, u + 1, max(CLOSENESS), 1e9).max() <= 65_535


def test_strength_belongs_to_the_pair() -> None:
    keys = draws.keys(1, "user", 100)
    whole = strength(keys, np.array([50, 60]), np.array([70, 80]), 0.5, 1.0)
    part = strength(keys[40:], np.array([10, 20]), np.array([30, 40]), 0.5, 1.0, first=40)
    assert whole.tolist() == part.tolist()


def test_expected_common_friends_are_what_is_counted(native: SocialGraph, where: Circles) -> None:
    """In workplaces the expectation behind the strength follows the count within that circle."""
    owner, once = native.owner(), native.owner() < native.indices
    u, v = owner[once].astype(np.int64), native.indices[once].astype(np.int64)
    work = where.member[1]
    mine = work[u] == work[v]
    u, v = u[mine], v[mine]
    weight = 0.5 * where.ties
    total, square = np.bincount(work, weight), np.bincount(work, weight * weight)
    expected = np.minimum(weight[u] * weight[v] / total[work[u]], 1) * square[work[u]] / total[work[u]]
    small = expected < 4  # above, chances are cut at 1 and fewer are counted
    counted = common_friends(native.rows, u, v)
    assert counted[small].mean() == pytest.approx(expected[small].mean(), rel=0.35)
    assert np.corrcoef(counted[small], expected[small])[0, 1] > 0.4


def test_community_strength_of_one_pair(where: Circles, keys: np.ndarray) -> None:
    work = where.member[1]
    u = int(np.flatnonzero(np.diff(work) == 0)[0])
    mates = np.flatnonzero(work == work[u])
    w = 0.5 * where.ties[mates]
    know = min(1.0, 0.25 * where.ties[u] * where.ties[u + 1] / w.sum())
    common = know * (w * w).sum() / w.sum()
    got = community_strength(keys, where, np.array([u]), np.array([u + 1]), np.array([1]))
    assert got.tolist() == strength(keys, np.array([u]), np.array([u + 1]), CLOSENESS[1], common).tolist()
