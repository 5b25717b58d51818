"""Gifts from the counter: what they cost net, whom they reach for the first time, and what those buy later."""

from pathlib import Path

import pytest

from sim.metrics.catalog import table
from sim.units import DAY, HOUR
from tests.ledger.story import Story

NAMES = ["counter_gifts", "counter_gift_cost", "counter_contacts", "counter_buyers", "counter_gmv"]


def test_contacts_are_new_and_their_later_orders_count_less_refunds(tmp_path: Path) -> None:
    told = Story()
    told.order(DAY, 2, 100_00)  # a customer before her gift is no contact
    for recipient, channel in (
        (2, "offline_qr"),
        (3, "offline_qr"),
        (4, "offline_qr"),
        (5, "offline_qr"),
        (6, "store"),
    ):
        gift = told.event("gift_sent", 2 * DAY, user=1, peer=recipient, amount=0, channel=channel)
        if recipient != 5:
            told.claim(gift, 3 * DAY)
        else:
            told.event("gift_expired", 3 * DAY, gift, user=1)
    told.order(10 * DAY, 2, 100_00)
    told.order(10 * DAY, 3, 80_00)
    told.give_back(told.order(11 * DAY, 3, 50_00), 15 * DAY)
    told.order(10 * DAY, 5, 70_00)
    told.order(10 * DAY, 6, 60_00)
    got = table(told.write(tmp_path / "run"), NAMES, "tea_house")
    assert got == pytest.approx(
        {"counter_gifts": 4, "counter_gift_cost": 0, "counter_contacts": 2, "counter_buyers": 1, "counter_gmv": 80}
    )


def test_cost_is_what_leaves_the_cash_less_what_comes_in(tmp_path: Path) -> None:
    told = Story()
    for amount, channel in ((0, "offline_qr"), (9_90, "offline_qr"), (50_00, "store")):
        gift = told.event("gift_sent", DAY, user=1, peer=2, amount=amount, channel=channel)
        parcel = told.event("delivered", 2 * DAY, gift, user=1, peer=2)
        told.move(parcel, "fen", ("cash", 0), "supplier", 4_00)
        told.move(parcel, "fen", ("cash", 0), "courier", 6_00)
        if amount:
            done = told.event("completed", 9 * DAY + HOUR, gift, user=1, amount=amount)
            told.move(done, "fen", ("escrow", 0), ("cash", 0), amount - 50)
            told.move(done, "fen", ("escrow", 0), "platform", 50)
    got = table(told.write(tmp_path / "run"), ["counter_gift_cost"], "tea_house")
    assert got == pytest.approx({"counter_gift_cost": 2 * 10.0 - 9.40})
    assert table(told.write(tmp_path / "again"), ["counter_gift_cost"], "bakery") == {"counter_gift_cost": 0.0}


def test_who_is_given_something_for_nothing_has_not_bought(tmp_path: Path) -> None:
    told = Story()
    told.event("gift_sent", DAY, user=1, peer=2, amount=0, channel="offline_qr")
    told.event("gift_sent", DAY, user=3, peer=2, amount=9_90, channel="offline_qr")
    assert table(told.write(tmp_path / "run"), ["new_customers"], "tea_house") == {"new_customers": 1.0}
