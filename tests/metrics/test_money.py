"""Costs and payback on ledgers made for them."""

from pathlib import Path

import pytest

from sim.metrics.catalog import table
from sim.units import DAY
from tests.ledger.story import Story


def cash_story(moves: list[tuple[int, int]]) -> Story:
    """A merchant whose cash moves by so many fen on these days."""
    told = Story()
    for day, amount in moves:
        row = told.event("spend", day * DAY)
        told.move(row, "fen", *((("cash", 0), "media") if amount < 0 else ("supplier", ("cash", 0))), abs(amount))
    return told


@pytest.mark.parametrize(
    ("moves", "day"),
    [
        ([(0, 5), (3, -2)], 0),
        ([(0, -5), (3, 2), (4, 3)], 4),
        ([(0, 5), (2, -9), (3, 9), (5, -9), (9, 10)], 9),
        ([(0, -5), (2, 3)], float("nan")),
        ([(2, -5), (2, 5)], 0),
    ],
)
def test_payback_is_the_first_day_that_is_not_below_again(
    moves: list[tuple[int, int]], day: float, tmp_path: Path
) -> None:
    assert table(cash_story(moves).write(tmp_path / "run"), ["payback_day"]) == pytest.approx(
        {"payback_day": day}, nan_ok=True
    )


def test_every_account_is_a_cost_of_its_own(tmp_path: Path) -> None:
    told = Story()
    row = told.event("spend", DAY)
    for account, amount in (
        ("staff", 100),
        ("media", 200),
        ("supplier", 400),
        ("courier", 800),
        (("promoter", 4), 1600),
    ):
        told.move(row, "fen", ("cash", 0), account, amount)
    told.move(row, "fen", "supplier", ("cash", 0), 50)
    told.move(row, "fen", ("wallet", 3), ("escrow", 0), 20_000)
    for account, amount in (("platform", 1_000), ("payment", 120), (("promoter", 4), 3_000), (("cash", 0), 15_880)):
        told.move(row, "fen", ("escrow", 0), account, amount)
    told.move(row, "fen", ("wallet", 3), ("escrow", 1), 700)
    got = table(told.write(tmp_path / "run"), ["staff_cost", "marketing_cost", "goods_cost", "shipping_cost", "fees"])
    want = {"staff_cost": 1.0, "marketing_cost": 2 + 16 + 30, "goods_cost": 3.5, "shipping_cost": 8.0, "fees": 11.2}
    assert got == pytest.approx(want)


def test_margin_is_what_is_left_of_payouts(tmp_path: Path) -> None:
    told = Story()
    told.restock(0, 0, 10, 2_000)
    deal = told.order(DAY, user=1, amount=9_000)
    told.ship(deal, 2 * DAY)
    told.complete(deal, 9 * DAY)
    got = table(told.write(tmp_path / "run"), ["margin", "margin_rate", "fees", "goods_cost", "shipping_cost"])
    assert got["margin"] == pytest.approx(90 - got["fees"] - got["goods_cost"] - got["shipping_cost"])
    assert got["margin_rate"] == pytest.approx(got["margin"] / 90)


def test_orders_are_those_that_somebody_paid_for_whatever_is_made_of_them(tmp_path: Path) -> None:
    told = Story()
    for kind, amount in (("order", 90_00), ("order", 0), ("gift_sent", 10_00), ("gift_sent", 0), ("gift_sent", 0)):
        told.event(kind, 2 * DAY, user=1, peer=2, amount=amount, channel="offline_qr")
        told.event("view", 2 * DAY, user=1)
    told.event("share", DAY, user=1, quantity=1)
    want = {
        "orders": 2, "given_away": 3, "aov": 50.0, "conversion": 2 / 5, "gifts_sent": 1, "gift_share": 0.5,
        "shares_per_order": 0.5, "orders_per_customer": 2, "counter_gifts": 3, "orders@offline_qr": 2,
    }  # fmt: skip
    assert table(told.write(tmp_path / "run"), want, "tea_house") == pytest.approx(want)


def test_who_pays_for_nothing_has_not_bought_a_gift(tmp_path: Path) -> None:
    told = Story(users=1_000)
    for user, amount in ((1, 10_00), (2, 0), (3, 0)):
        told.event("gift_sent", DAY, user=user, peer=9, amount=amount)
    want = {"gift_buyers_per_1000": 1.0, "gift_buyers_peak_per_1000": 1.0}
    assert table(told.write(tmp_path / "run"), want) == pytest.approx(want)


@pytest.mark.parametrize(("ends", "margin"), [("commission_paid", -3.0), ("commission_voided", 0.0), (None, -3.0)])
def test_a_commission_costs_once(ends: str | None, margin: float, tmp_path: Path) -> None:
    told = Story()
    deal = told.event("order", DAY, user=1, amount=100)
    held = told.hold(deal, 2, 300)
    if ends:
        told.release(held, 9 * DAY, ends)
    paid = 3.0 if ends == "commission_paid" else 0.0
    want = {"margin": margin, "commission": paid, "marketing_cost": paid}
    assert table(told.write(tmp_path / "run"), want) == pytest.approx(want)
