"""Points and coupons against plain loops over random histories."""

import random
from pathlib import Path

import pytest

from sim.metrics.catalog import table
from tests.ledger.story import Story

WORTH = (2, 5)  # fen a point, by merchant
SIGNS = {"points_earned": 1, "points_sign_in": 1, "points_returned": 1, "points_redeemed": -1, "points_expired": -1}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("merchant", ["tea_house", "bakery"])
def test_points_are_counted_as_in_a_plain_loop(seed: int, merchant: str, tmp_path: Path) -> None:
    luck, told = random.Random(seed), Story(users=5)
    number = told.merchants.index(merchant)
    count = dict.fromkeys(SIGNS, 0)
    for time in range(100, 60_000, 1_000):
        kind, shop, points = luck.choice(list(SIGNS)), luck.randrange(2), luck.randrange(1, 50)
        points *= {"points_earned": 20, "points_redeemed": 4}.get(kind, 1)  # so that something is left, and was spent
        told.event(kind, time, user=luck.randrange(5), merchant=shop, quantity=points, amount=points * WORTH[shop])
        count[kind] += points * (shop == number)
    spent = count["points_redeemed"] - count["points_returned"]
    booked, lapsed = count["points_earned"] + count["points_sign_in"], count["points_expired"]
    left = sum(SIGNS[kind] * points for kind, points in count.items())
    assert min(left, spent, lapsed) > 0
    want = {
        "points_discount": spent * WORTH[number] / 100,
        "points_outstanding": left,
        "points_liability": left * WORTH[number] / 100 * spent / (spent + lapsed),
        "points_redeemed_share": spent / booked,
        "breakage": lapsed / (spent + lapsed),
    }
    assert table(told.write(tmp_path / "run"), want, merchant) == pytest.approx(want)


def test_all_points_are_owed_as_long_as_none_were_spent_or_lapsed(tmp_path: Path) -> None:
    told = Story()
    told.event("points_earned", 100, user=1, quantity=300, amount=600)
    earned = told.event("completed", 200, merchant=0, amount=5_000)
    told.move(earned, "fen", ("escrow", 0), ("cash", 0), 5_000)
    ledger = told.write(tmp_path / "run")
    assert table(ledger, ["margin_after_points"], "tea_house") == {"margin_after_points": 50 - 6}
    assert table(ledger, ["margin_after_points"], "bakery") == {"margin_after_points": 0}
    assert table(ledger, ["points_liability", "points_outstanding"]) == {
        "points_liability": 6,
        "points_outstanding": 300,
    }
    got = table(ledger, ["breakage", "coupon_waste", "points_redeemed_share"])
    assert got == pytest.approx(
        {"breakage": float("nan"), "coupon_waste": float("nan"), "points_redeemed_share": 0}, nan_ok=True
    )


def test_without_points_nothing_is_owed_and_wasted_coupons_are_those_that_lapsed(tmp_path: Path) -> None:
    told = Story()
    claims = [told.event("coupon_claimed", 100 + user, user=user, quantity=1) for user in range(8)]
    told.event("coupon_issued", 50, quantity=20)
    for claim in claims[:3]:
        told.event("coupon_expired", 90_000, claim, user=claim["user"], quantity=1)
    ledger = told.write(tmp_path / "run")
    assert table(ledger, ["coupon_waste", "points_liability"]) == {"coupon_waste": 3 / 8, "points_liability": 0}
