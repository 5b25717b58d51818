import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.units import Array
from sim.world.graph import DUNBAR, SocialGraph, by_strength, each_once, ends_of, stack
from tests.world.measures import layers

Tie = tuple[int, int, int]
ties = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(0, 65_535)), max_size=150),
    )
)


def columns(rows: list[Tie]) -> tuple[Array, Array, Array]:
    u, v, strength = np.array(rows, np.int64).reshape(-1, 3).T
    return u, v, strength.astype(np.uint16)


def strongest(rows: list[Tie]) -> dict[tuple[int, int], int]:
    best: dict[tuple[int, int], int] = {}
    for u, v, strength in rows:
        if u != v:
            pair = (min(u, v), max(u, v))
            best[pair] = max(best.get(pair, 0), strength)
    return best


@given(ties)
def test_rows_hold_all_friends_strongest_first(case: tuple[int, list[Tie]]) -> None:
    n, rows = case
    graph = SocialGraph.from_edges(n, *columns(rows))
    best = strongest(rows)
    for person in range(n):
        friends = {a + b - person: strength for (a, b), strength in best.items() if person in (a, b)}
        row = graph.row(person).tolist()
        assert set(row) == set(friends)
        assert [friends[friend] for friend in row] == sorted(friends.values(), reverse=True)


@given(ties)
def test_each_tie_once_at_its_greatest_strength(case: tuple[int, list[Tie]]) -> None:
    n, rows = case
    u, v, strength = columns(rows)
    real = u != v
    u, v, strength = each_once(n, np.minimum(u, v)[real], np.maximum(u, v)[real], strength[real])
    got = list(zip(u.tolist(), v.tolist(), strength.tolist(), strict=True))
    assert got == sorted((*pair, best) for pair, best in strongest(rows).items())


def test_layers_are_dunbars_by_rank() -> None:
    n = 300
    star = SocialGraph.from_edges(n, np.zeros(n - 1), np.arange(1, n), np.arange(n - 1, dtype=np.uint16))
    layer = layers(star)[: n - 1]
    assert DUNBAR == (5, 15, 50)
    assert np.bincount(layer).tolist() == [5, 10, 35, n - 1 - 50]
    assert (np.diff(layer.astype(int)) >= 0).all()
    assert (layers(star)[n - 1 :] == 0).all()  # the centre is everybody's closest friend


def test_strength_gives_way_when_numbers_are_huge() -> None:
    rows, columns_ = 2**20, 2**31
    row, column = np.array([7, 7, 7]), np.array([1, 2**31 - 1, 5])
    degree, indices = by_strength(rows, columns_, row, column, np.array([0, 65_535, 30_000], np.uint16))
    assert indices.tolist() == [2**31 - 1, 5, 1]
    assert (degree[7], degree.sum(), degree.size) == (3, 3, rows)


@given(ties)
def test_networkx_and_back(case: tuple[int, list[Tie]]) -> None:
    n, rows = case
    graph = SocialGraph.from_edges(n, *columns(rows))
    there = graph.to_networkx()
    assert set(map(frozenset, there.edges())) == set(map(frozenset, strongest(rows)))
    back = SocialGraph.from_networkx(there, np.zeros(there.number_of_edges(), np.uint16))
    assert [sorted(back.row(i)) for i in range(n)] == [sorted(graph.row(i)) for i in range(n)]


def test_networkx_is_told_the_closer_layer() -> None:
    # person 0 has 20 friends, and friend 20 is her weakest, but she is his only one
    graph = SocialGraph.from_edges(21, np.zeros(20), np.arange(1, 21), np.arange(20, 0, -1).astype(np.uint16))
    there = graph.to_networkx()
    assert layers(graph)[19] == 2
    assert there.edges[0, 20]["layer"] == 0


def test_ends_of_an_empty_graph() -> None:
    u, v = ends_of(nx.empty_graph(4))
    assert u.size == v.size == 0
    assert SocialGraph.from_edges(4, u, v, np.zeros(0, np.uint16)).degree.tolist() == [0, 0, 0, 0]


@given(st.lists(st.sets(st.integers(0, 9)), min_size=1, max_size=8))
def test_memberships_both_ways(rows: list[set[int]]) -> None:
    entries = [entry for row in rows for entry in sorted(row)]
    members = SocialGraph.from_rows(np.array([len(row) for row in rows]), np.array(entries, np.int32))
    groups = members.inverse(10)
    assert (members.rows, groups.rows) == (len(rows), 10)
    for entry in range(10):
        assert groups.row(entry).tolist() == [i for i, row in enumerate(rows) if entry in row]
    assert [set(groups.inverse(len(rows)).row(i).tolist()) for i in range(len(rows))] == rows


def test_stacked_graphs_are_blocks() -> None:
    one = SocialGraph.from_edges(3, np.array([0, 1]), np.array([1, 2]), np.array([5, 9], np.uint16))
    two = SocialGraph.from_edges(3, np.array([0]), np.array([2]), np.array([1], np.uint16))
    both = stack([one, two])
    assert [both.row(i).tolist() for i in range(6)] == [[1], [2, 0], [1], [5], [], [3]]
    wide = stack([one, two], columns=10)
    assert [wide.row(i).tolist() for i in range(6)] == [[1], [2, 0], [1], [12], [], [10]]
    assert layers(wide).tolist() == [*layers(one), *layers(two)]
    assert stack([one]) is one


def test_nobody_can_write_to_a_graph() -> None:
    graph = SocialGraph.from_edges(2, np.array([0]), np.array([1]), np.array([1], np.uint16))
    for array in (graph.indptr, graph.indices):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
