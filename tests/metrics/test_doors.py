"""Doors on a ledger told by hand, whose numbers were worked out on paper."""

import math
from pathlib import Path

import pytest

from sim.ledger.reader import Ledger
from sim.metrics.catalog import table
from sim.metrics.doors import by_first_touch, doors
from sim.units import DAY
from tests.ledger.story import Story


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """User 1 hears of it in a group, buys in the store, then in the group; 2 buys in the store and sends it back;

    3 sees it in Moments after she has bought by nothing else than the store; 4 only looks; 5 buys too late to tell.
    """
    told = Story()
    told.event("notice", DAY, user=1, channel="groups")
    told.order(2 * DAY, user=1, amount=5_000, channel="store")
    told.order(10 * DAY, user=1, amount=3_000, channel="groups")
    told.order(40 * DAY, user=1, amount=9_000, channel="store")
    back = told.order(3 * DAY, user=2, amount=6_000, channel="store")
    told.give_back(back, 8 * DAY)
    told.order(4 * DAY, user=3, amount=2_000, channel="store")
    told.event("notice", 5 * DAY, user=3, channel="moments")
    told.event("notice", 5 * DAY, user=4, channel="moments")
    told.order(58 * DAY, user=5, amount=1_000, channel="groups")
    told.order(4 * DAY, user=6, amount=1_000, channel="moments", merchant=1, variant=3, product=2)
    told.event("exposure", 7_200, user=2, channel="groups")  # seen, and no touch
    return told.write(tmp_path_factory.mktemp("ledger") / "run", everything=True)


def test_numbers_are_those_worked_out_on_paper(ledger: Ledger) -> None:
    want = {
        "reach@store": 3, "reach@groups": 3, "reach@moments": 2,
        "customers_met@store": 2, "customers_met@groups": 2, "customers_met@moments": 0,
        "customers_won@store": 3, "customers_won@groups": 1, "customers_won@moments": 0,
        "orders@store": 4, "orders@groups": 2, "orders@moments": 0, "orders@mini_program": 0,
        "repeat_share@store": 1 / 3, "repeat_share@groups": math.nan,
        "ltv@store": (80 + 0 + 20) / 3, "ltv@groups": math.nan,
        "return_share@store": 0.25, "return_share@groups": 0.0, "return_share@moments": math.nan,
    }  # fmt: skip
    assert table(ledger, want, "tea_house") == pytest.approx(want, nan_ok=True)


def test_who_follows_for_content_was_met_by_it(tmp_path: Path) -> None:
    told = Story()
    post = told.event("image_post", 3_600, channel="image_posts")
    broadcast = told.event("broadcast", 3_600, channel="store")
    for user, cause in ((1, post), (2, broadcast), (3, None)):
        told.event("follow", DAY, user=user, cause=cause)
        told.order(2 * DAY, user=user, amount=5_000, channel="store")
    want = {"customers_met@image_posts": 1, "customers_met@articles": 1, "customers_met@store": 1}
    want |= {"customers_met@service_account": 0, "customers_won@store": 3, "customers_won@image_posts": 0}
    assert table(told.write(tmp_path / "run"), want, "tea_house") == want


def test_doors_add_up_to_the_customers(ledger: Ledger) -> None:
    for merchant in (None, "tea_house", "bakery"):
        rows = doors(ledger, merchant).to_pylist()
        (customers,) = table(ledger, ["new_customers"], merchant).values()
        assert sum(row["customers_won"] for row in rows) == sum(row["customers_met"] for row in rows) == customers
        assert sum(row["orders"] for row in rows) == table(ledger, ["orders"], merchant)["orders"]


def test_whom_a_channel_reached_is_not_told_by_a_ledger_without_exposures(tmp_path: Path) -> None:
    told = Story()
    told.order(2 * DAY, user=1, amount=5_000, channel="store")
    ledger = told.write(tmp_path / "run")
    found = table(ledger, ["reach@store", "reach@groups", "customers_met@store"])
    assert list(found.values()) == pytest.approx([math.nan, math.nan, 1], nan_ok=True)
    assert [row["reach"] for row in doors(ledger).to_pylist()] == [None]


def test_an_empty_ledger_has_no_doors(tmp_path: Path) -> None:
    assert doors(Story().write(tmp_path / "run")).num_rows == 0


def test_customers_by_first_touch_bring_what_their_deals_moved(tmp_path: Path) -> None:
    """User 1 came by a group and bought twice, 2 by the store and sent it back; promoters earned on both."""
    told = Story()
    told.event("notice", DAY, user=1, channel="groups")
    first = told.order(2 * DAY, user=1, amount=5_000, channel="store")
    told.ship(first, 3 * DAY)  # parcel 800
    told.complete(first, 9 * DAY)  # less 250, the platform's twentieth
    told.release(told.hold(first, 7, 300), 9 * DAY)
    told.order(10 * DAY, user=1, amount=3_000, channel="store")  # on its way when the horizon ends
    back = told.order(3 * DAY, user=2, amount=6_000, channel="store")
    told.ship(back, 4 * DAY)
    told.release(told.hold(back, 8, 400), 6 * DAY, "commission_voided")
    told.give_back(back, 6 * DAY)
    told.move(told.event("spend", 10 * DAY), "fen", ("cash", 0), "media", 1_500)  # nobody's in particular
    found = by_first_touch(told.write(tmp_path / "run"), "tea_house").to_pylist()
    assert found == [
        {"channel": "groups", "customers": 1, "orders": 2, "whole": 1, "again": 1, "fen": 5_000 - 250 - 800 - 300},
        {"channel": "store", "customers": 1, "orders": 1, "whole": 1, "again": 0, "fen": -800},
    ]


def test_customers_by_first_touch_are_those_met(ledger: Ledger) -> None:
    for merchant in (None, "tea_house", "bakery"):
        met = {row["channel"]: row["customers_met"] for row in doors(ledger, merchant).to_pylist()}
        found = {row["channel"]: row["customers"] for row in by_first_touch(ledger, merchant).to_pylist()}
        assert found == {channel: count for channel, count in met.items() if count}
