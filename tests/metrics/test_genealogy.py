"""Genealogies on ledgers told by hand, against networkx, and against the theory of branching."""

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sim.errors import StudyError
from sim.metrics.cascades import forest
from sim.metrics.catalog import table
from sim.metrics.genealogy import KINDS, METRICS, Genealogy, genealogy
from sim.units import DAY
from tests.ledger.story import Story


def test_shares_with_what_they_sold(tmp_path: Path) -> None:
    told = Story()
    first = told.event("share", DAY, user=1, quantity=4)
    bought = told.event("order", 2 * DAY, first, user=2, amount=10_000)
    parcel = told.event("delivered", 4 * DAY, bought, user=2)
    again = told.event("share", 5 * DAY, parcel, user=2, quantity=2)
    told.event("order", 6 * DAY, again, user=3, amount=20_000)
    told.event("gift_sent", 6 * DAY, again, user=4, peer=5, amount=3_000)
    told.event("order", 6 * DAY, told.event("visit", 6 * DAY, user=6), user=6, amount=50_000)
    lone = told.event("share", 7 * DAY, user=7, quantity=2)
    found = genealogy(told.write(tmp_path / "run"))
    assert found.summary() == pytest.approx(
        {
            "trees": 2, "nodes": 3, "size_mean": 1.5, "size_max": 2, "depth_max": 1, "branching": 1 / 3,
            "branching_low": 0.025317808 / 3, "branching_high": 5.571643391 / 3,  # Garwood's limits for one
            "structural_virality": 1.0,
        }
    )  # fmt: skip
    assert found.generations().to_pydict() == {
        "generation": [0, 1], "nodes": [2, 1], "orders": [1, 2], "value": [100.0, 230.0]
    }  # fmt: skip
    graph = found.to_networkx()
    assert [*graph.edges] == [(first["event"], again["event"])]
    assert graph.nodes[again["event"]] == {"user": 2, "time": 5 * DAY, "generation": 1, "orders": 2, "value": 230.0}
    assert graph.nodes[lone["event"]]["orders"] == 0


def test_who_posts_again_does_not_descend_from_herself(tmp_path: Path) -> None:
    told = Story()
    first = told.event("promotion", DAY, user=1)
    hers = told.event("promotion", 2 * DAY, first, user=2)
    again = told.event("promotion", 3 * DAY, hers, user=2)
    once_more = told.event("promotion", 4 * DAY, again, user=2)
    alone = told.event("promotion", 5 * DAY, told.event("promotion", 4 * DAY, user=3), user=3)
    found = genealogy(told.write(tmp_path / "run"), "promotions").to_networkx()
    above = {child: parent for parent, child in found.edges}
    assert above == {each["event"]: first["event"] for each in (hers, again, once_more)}
    assert alone["event"] in found


def test_a_gift_descends_from_the_last_one_that_its_sender_claimed(tmp_path: Path) -> None:
    told = Story()
    first = told.order(DAY, user=1, amount=7_000, kind="gift_sent", peer=2)
    told.claim(first, DAY + 100)
    other = told.order(DAY + 200, user=3, amount=1_000, kind="gift_sent", peer=2)
    told.claim(other, 2 * DAY)
    second = told.order(3 * DAY, user=2, amount=5_000, kind="gift_sent", peer=4)
    third = told.order(DAY + 150, user=2, amount=6_000, kind="gift_sent", peer=5)
    found = genealogy(told.write(tmp_path / "run"), "gifts", "tea_house").to_networkx()
    ids = [gift["event"] for gift in (first, other, second, third)]
    assert {*found.edges} == {(ids[1], ids[2]), (ids[0], ids[3])}
    assert found.nodes[ids[2]]["value"] == 50.0
    assert nx.is_forest(found)


def planted(parent: list[int]) -> Genealogy:
    empty = np.zeros(0, np.int64)
    nodes = {name: np.arange(len(parent)) for name in ("event", "user", "time")}
    return Genealogy("shares", nodes, {"event": empty, "amount": empty, "node": empty}, forest(np.array(parent)))


def grown(draw: Callable[[], int], trees: int) -> Genealogy:
    """Trees of a branching process (Galton-Watson)."""
    parent = [-1] * trees
    generation = list(range(trees))
    while generation:
        born = [node for node in generation for _ in range(draw())]
        generation = list(range(len(parent), len(parent) + len(born)))
        parent += born
    return planted(parent)


@pytest.mark.parametrize(("trees", "mean"), [(12, 0.1), (12, 0.6), (150, 0.2), (150, 0.6)])
@pytest.mark.parametrize("law", ["poisson", "geometric"])
def test_the_interval_holds_the_ratio_of_a_branching_process(trees: int, mean: float, law: str) -> None:
    """At least 95 % of the time, less four standard errors; geometric children vary more than Poisson ones."""
    luck = np.random.default_rng(11)
    draws = {"poisson": lambda: int(luck.poisson(mean)), "geometric": lambda: int(luck.geometric(1 / (1 + mean))) - 1}
    intervals = [grown(draws[law], trees).branching() for _ in range(150)]
    held = np.mean([low <= mean <= high for _, low, high in intervals])
    assert held >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 150)


def test_trees_of_one_bound_the_ratio_by_three_in_n() -> None:
    """At the upper limit, fifty Poisson parents have no child at all with probability 0.05."""
    ratio, low, high = planted([-1] * 50).branching()
    assert (ratio, low) == (0.0, 0.0)
    assert np.exp(-high) ** 50 == pytest.approx(0.05)


def test_limits_of_independent_children_are_garwoods() -> None:
    """Ten children of ninety parents, each in a tree of its own: less spread than Poisson counts only as much."""
    _, low, high = planted([-1] * 90 + list(range(10))).branching()
    assert (low, high) == (pytest.approx(4.795389 / 100, rel=1e-6), pytest.approx(18.390356 / 100, rel=1e-6))


@pytest.mark.parametrize("n", [2, 3, 10, 41])
def test_virality_of_a_star_and_of_a_path(n: int) -> None:
    """A broadcast to n - 1 has 2 (n - 1) / n, a chain of n has (n + 1) / 3."""
    assert planted([-1] + [0] * (n - 1)).summary()["structural_virality"] == pytest.approx(2 * (n - 1) / n)
    assert planted([*range(-1, n - 1)]).summary()["structural_virality"] == pytest.approx((n + 1) / 3)


def test_size_of_a_process_is_that_of_theory() -> None:
    """1 / (1 - R) on average, with variance R / (1 - R)^3 for Poisson children."""
    luck, mean, trees = np.random.default_rng(3), 0.5, 3_000
    found = grown(lambda: int(luck.poisson(mean)), trees).summary()
    error = np.sqrt(mean / (1 - mean) ** 3 / trees)
    assert abs(found["size_mean"] - 1 / (1 - mean)) <= 4 * error
    assert found["branching_low"] < mean < found["branching_high"]


def test_every_metric_is_that_of_its_genealogy(tmp_path: Path) -> None:
    told = Story()
    for kind, size in (("share", 6), ("promotion", 4)):
        nodes = [told.event(kind, DAY, user=9, quantity=3)]
        for step in range(1, size):
            nodes.append(told.event(kind, step * DAY + DAY, nodes[step // 2], user=step, quantity=3))
    first = told.order(DAY, user=1, amount=7_000, kind="gift_sent", peer=2)
    told.claim(first, DAY + 100)
    told.order(2 * DAY, user=2, amount=1_000, kind="gift_sent", peer=3)
    ledger = told.write(tmp_path / "run")
    columns = {
        "cascade_size": "size_mean", "cascade_size_max": "size_max", "cascade_depth_max": "depth_max",
        "branching_ratio": "branching", "structural_virality": "structural_virality",
    }  # fmt: skip
    want = {f"{name}@{kind}": genealogy(ledger, kind).summary()[columns[name]] for name in columns for kind in KINDS}
    assert [want[f"cascade_size@{kind}"] for kind in KINDS] == [6, 4, 2]
    assert table(ledger, want) == pytest.approx(want)
    assert {metric.name for metric in METRICS} == {*want}


def test_nothing_has_no_trees_and_an_unknown_kind_is_explained(tmp_path: Path) -> None:
    ledger = Story().write(tmp_path / "run")
    for kind in ("shares", "promotions", "gifts"):
        found = genealogy(ledger, kind)
        assert found.summary()["nodes"] == 0
        assert found.generations().num_rows == 0
        assert found.to_networkx().number_of_nodes() == 0
    with pytest.raises(StudyError, match="one of shares, promotions, gifts"):
        genealogy(ledger, "rumour")
