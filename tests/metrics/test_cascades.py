"""Cascades against networkx and against the theory of branching."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics.cascades import forest, nearest
from sim.metrics.catalog import table
from sim.units import DAY
from tests.ledger.story import Story

parents = st.integers(0, 40).flatmap(lambda n: st.tuples(*(st.integers(-1, i - 1) for i in range(n))))


@given(parents, st.randoms())
def test_roots_depths_and_virality_are_those_of_the_graph(parent: tuple[int, ...], luck: object) -> None:
    order = list(range(len(parent)))
    luck.shuffle(order)  # type: ignore[attr-defined]
    place = {old: new for new, old in enumerate(order)}
    moved = np.array([-1 if parent[old] < 0 else place[parent[old]] for old in order], np.int64)
    trees = forest(moved)
    graph = nx.Graph((child, p) for child, p in enumerate(moved.tolist()) if p >= 0)
    graph.add_nodes_from(range(len(parent)))
    components = list(nx.connected_components(graph))
    virality = []
    for nodes in components:
        (root,) = (node for node in nodes if moved[node] < 0)
        assert {int(trees.root[node]) for node in nodes} == {root}
        far = nx.single_source_shortest_path_length(graph, root)
        assert all(int(trees.depth[node]) == far[node] for node in nodes)
        if len(nodes) > 1:
            virality.append(nx.average_shortest_path_length(graph.subgraph(nodes)))
    assert sorted(trees.sizes.tolist()) == sorted(map(len, components))
    assert sorted(trees.virality()) == pytest.approx(sorted(virality))


@pytest.mark.slow
@given(parents, st.data())
def test_the_nearest_is_the_first_that_a_walk_meets(parent: tuple[int, ...], data: st.DataObject) -> None:
    size = len(parent)
    marked = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), np.bool_)
    event = np.arange(1, size + 1, dtype=np.uint64) * 10
    cause = np.array([0 if p < 0 else (p + 1) * 10 for p in parent], np.uint64)
    for row, found in enumerate(nearest(event, cause, marked).tolist()):
        at = parent[row]
        while at >= 0 and not marked[at]:
            at = parent[at]
        assert found == at


def test_a_chain_of_any_length_is_walked_to_its_end() -> None:
    size = 3_000
    event = np.arange(1, size + 1, dtype=np.uint64)
    found = nearest(event, event - np.uint64(1), np.arange(size) == 0)
    assert found.tolist() == [-1] + [0] * (size - 1)
    trees = forest(np.arange(size) - 1)
    assert trees.depth[-1] == size - 1
    assert trees.virality() == pytest.approx([(size + 1) / 3])  # mean distance on a path


def test_size_follows_from_the_reproduction_number(tmp_path: Path) -> None:
    """A subcritical branching process with mean R has 1 / (1 - R) in a cascade: exactly, for the R that is measured."""
    luck = np.random.default_rng(5)
    told = Story()
    begun = [told.event("share", DAY + i, user=i % 20, quantity=3) for i in range(60)]
    generation, depth = begun, 0
    while generation:
        depth += 1
        generation = [
            told.event(
                "share", DAY + 1_000 * depth + len(told.events), parent, user=(parent["user"] + 1) % 20, quantity=3
            )
            for parent in generation
            for _ in range(luck.poisson(0.6))
        ]
    got = table(
        told.write(tmp_path / "run"), ["branching_ratio@shares", "cascade_size@shares", "cascade_depth_max@shares"]
    )
    assert got["cascade_size@shares"] == pytest.approx(len(told.events) / 60)
    assert got["cascade_size@shares"] == pytest.approx(1 / (1 - got["branching_ratio@shares"]))
    assert got["cascade_depth_max@shares"] == depth - 1
    assert got["branching_ratio@shares"] == pytest.approx(0.6, abs=4 * (0.6 / len(told.events)) ** 0.5)


def test_chains_go_through_orders_and_visits_and_stay_with_the_merchant(tmp_path: Path) -> None:
    told = Story()
    first = told.event("share", DAY, user=1, quantity=4)
    bought = told.event("order", 2 * DAY, first, user=2, amount=100)
    parcel = told.event("delivered", 4 * DAY, bought, user=2)
    again = told.event("share", 5 * DAY, parcel, user=2, quantity=2)
    told.event("order", 5 * DAY, again, user=2, amount=100)  # who bought before is no new customer
    gift = told.event("gift_sent", 6 * DAY, again, user=3, peer=4, amount=100)
    told.event("order", 6 * DAY, told.event("visit", 6 * DAY, user=5), user=5, amount=100)
    told.event("share", 7 * DAY, gift, user=3, merchant=1, quantity=1)
    told.event("order", 8 * DAY, again, user=6, merchant=1, amount=100)
    want = {
        "cascade_size_max@shares": 2, "cascade_size@shares": 2.0, "cascade_depth_max@shares": 1,
        "branching_ratio@shares": 0.5, "structural_virality@shares": 1.0, "social_orders": 3, "social_customers": 2,
        "social_order_share": 3 / 4, "orders_per_recommendation": 3 / 6,
    }  # fmt: skip
    assert table(told.write(tmp_path / "run"), want, "tea_house") == pytest.approx(want)
    both = {"cascade_size_max@shares": 3, "cascade_depth_max@shares": 2, "branching_ratio@shares": 2 / 3}
    both |= {"social_orders": 4, "social_customers": 3}
    assert table(told.write(tmp_path / "again"), both) == pytest.approx(both)
