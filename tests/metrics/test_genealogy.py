"""Genealogies on ledgers told by hand, against networkx, and against the theory of branching."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sim.errors import StudyError
from sim.metrics.cascades import forest
from sim.metrics.catalog import table
from sim.metrics.genealogy import Genealogy, genealogy
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
            "branching_low": 1 / 3 - 12.706204736 * np.sqrt(2 * (1 / 9 + 1 / 9)) / 3,  # t with one degree of freedom
            "branching_high": 1 / 3 + 12.706204736 * np.sqrt(2 * (1 / 9 + 1 / 9)) / 3,
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


def test_a_gift_descends_from_the_last_one_that_its_sender_claimed(tmp_path: Path) -> None:
    told = Story()
    first = told.order(DAY, user=1, amount=7_000, kind="gift_sent", peer=2)
    told.claim(first, DAY + 100)
    other = told.order(DAY + 200, user=3, amount=1_000, kind="gift_sent", peer=2)
    told.claim(other, 2 * DAY)
    second = told.order(3 * DAY, user=2, amount=5_000, kind="gift_sent", peer=4)
    third = told.order(DAY + 150, user=2, amount=6_000, kind="gift_sent", peer=5)
    found = genealogy(told.write(tmp_path / "run"), "gift", "tea_house").to_networkx()
    ids = [gift["event"] for gift in (first, other, second, third)]
    assert {*found.edges} == {(ids[1], ids[2]), (ids[0], ids[3])}
    assert found.nodes[ids[2]]["value"] == 50.0
    assert nx.is_forest(found)


def grown(luck: np.random.Generator, trees: int, mean: float) -> Genealogy:
    """Trees of a branching process with Poisson children."""
    parent = [-1] * trees
    generation = list(range(trees))
    while generation:
        born = [node for node in generation for _ in range(luck.poisson(mean))]
        generation = list(range(len(parent), len(parent) + len(born)))
        parent += born
    empty = np.zeros(0, np.int64)
    nodes = {name: np.arange(len(parent)) for name in ("event", "user", "time")}
    return Genealogy("share", nodes, {"event": empty, "amount": empty, "node": empty}, forest(np.array(parent)))


@pytest.mark.parametrize("mean", [0.2, 0.6])
def test_the_interval_holds_the_ratio_of_a_branching_process(mean: float) -> None:
    luck = np.random.default_rng(11)
    intervals = [grown(luck, 150, mean).branching() for _ in range(300)]
    held = np.mean([low <= mean <= high for _, low, high in intervals])
    assert abs(held - 0.95) <= 4 * np.sqrt(0.95 * 0.05 / 300)


def test_metrics_of_cascades_say_the_same(tmp_path: Path) -> None:
    told = Story()
    nodes = [told.event("share", DAY, user=1, quantity=3)]
    for step in range(1, 6):
        nodes.append(told.event("share", step * DAY + DAY, nodes[step // 2], user=step, quantity=3))
    ledger = told.write(tmp_path / "run")
    said = table(ledger, ["cascade_size_mean", "cascade_depth_max", "share_reproduction", "structural_virality"])
    found = genealogy(ledger).summary()
    assert list(said.values()) == pytest.approx(
        [found[name] for name in ("size_mean", "depth_max", "branching", "structural_virality")]
    )


def test_nothing_has_no_trees_and_an_unknown_kind_is_explained(tmp_path: Path) -> None:
    ledger = Story().write(tmp_path / "run")
    for kind in ("share", "promotion", "gift"):
        found = genealogy(ledger, kind)
        assert found.summary()["nodes"] == 0
        assert found.generations().num_rows == 0
        assert found.to_networkx().number_of_nodes() == 0
    with pytest.raises(StudyError, match="one of share, promotion, gift"):
        genealogy(ledger, "rumour")
