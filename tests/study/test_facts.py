"""Facts: the table is whole, every target says how it is measured or why it cannot be, measures are those by hand."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sim.config.shipped import root
from sim.ledger.reader import Ledger
from sim.metrics.catalog import METRICS
from sim.study import facts
from sim.study.facts import TARGETS, clustering, counts, measured
from sim.units import DAY
from sim.world.graph import SocialGraph
from tests.ledger.story import Story

NAMES = {
    "gifts": "gift.gift_buyers_at_peak_per_enabled_user_per_day",
    "returns": "store.return_rate_shelf_and_social",
    "repeat": "private_domain.repeat_share_private_180d",
    "sale": "promotion.limited_time_20pct_off",
}


def test_every_target_of_the_table_is_known_and_within_its_own_range() -> None:
    assert {fact.name for fact in facts.facts()} == set(TARGETS)
    for fact in facts.facts():
        assert fact.accept[0] <= fact.value <= fact.accept[1]
        assert fact.grade in "ABC"


def test_inputs_and_targets_are_all_there_is() -> None:
    table = yaml.safe_load((root() / "data" / "facts.yaml").read_text("utf-8"))
    uses = [fact["use"] for part in table.values() for fact in part.values()]
    assert counts() == {"all": len(uses), "inputs": uses.count("input"), "targets": uses.count("target")}
    assert counts()["all"] == counts()["inputs"] + counts()["targets"]


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_has_one_measure_or_says_why_it_has_none(name: str) -> None:
    target = TARGETS[name]
    assert target.title and target.without
    assert sum(map(bool, (target.sql, target.metric, target.measure))) <= 1
    assert not target.metric or target.metric in METRICS


def ledger(told: Story, folder: Path, **offers: Any) -> Ledger:
    found = told.write(folder)
    shops: dict[str, Any] = {"tea_house": {"offers": offers, "channels": {}}}
    found.manifest["scenario"] = {**found.manifest["scenario"], "merchants": shops}
    return found


def test_shares_are_those_counted_by_hand(tmp_path: Path) -> None:
    told = Story()
    for user in (1, 2, 3):
        told.order(DAY, user=user, amount=5_000, kind="gift_sent", peer=9)
    told.order(3 * DAY, user=1, amount=5_000, kind="gift_sent", peer=9)
    for deal in [told.order(2 * DAY, user=user, amount=100) for user in range(4, 8)]:
        told.ship(deal, 3 * DAY)
        if deal["user"] == 7:
            told.give_back(deal, 8 * DAY)
    found = measured(ledger(told, tmp_path / "run", gift_packet={}))
    assert found[NAMES["gifts"]] == 3 / 20  # of twenty people, on the first day
    assert found[NAMES["returns"]] == 1 / 4
    assert math.isnan(found[NAMES["repeat"]])  # sixty days are too few
    assert math.isnan(measured(ledger(told, tmp_path / "other"))[NAMES["gifts"]])  # nobody lets goods be given


def test_those_in_private_reach_are_followed_for_half_a_year(tmp_path: Path) -> None:
    """1 follows, buys, and again after 100 days; 2 after 200; 3 is no fan; 4 buys too late; 5 follows after it all."""
    told = Story(days=400)
    for user, days in ((1, (2, 102)), (2, (2, 202)), (4, (390,)), (5, (2,))):
        told.event("follow", (300 if user == 5 else 1) * DAY, user=user)
        for day in days:
            told.order(day * DAY, user=user, amount=100)
    told.order(2 * DAY, user=3, amount=100)
    told.order(3 * DAY, user=3, amount=100)
    assert measured(ledger(told, tmp_path / "run"))[NAMES["repeat"]] == 1 / 2


@pytest.mark.parametrize(("offers", "there"), [({}, False), ({"discount": 0.1}, False), ({"discount": 0.2}, True)])
def test_a_sale_counts_if_it_is_of_a_fifth(offers: dict[str, float], there: bool) -> None:
    manifest = {"scenario": {"merchants": {"tea": {"offers": {"limited_time_sale": offers} if offers else {}}}}}
    assert TARGETS[NAMES["sale"]].there(manifest) is there


def test_clustering_is_that_of_triangles() -> None:
    """A triangle with a tail: its three corners have 1, 1 and 1/3, the end of the tail has one friend."""
    graph = SocialGraph(np.array([0, 2, 4, 7, 8]), np.array([1, 2, 0, 2, 0, 1, 3, 2], np.int32))
    assert clustering(graph, np.arange(4)) == pytest.approx((1 + 1 + 1 / 3 + 0) / 4)
