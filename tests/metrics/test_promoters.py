"""Promoters' metrics on ledgers told by hand."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics.catalog import table
from sim.units import DAY
from tests.ledger.story import KINDS, Story

NAMES = ["promoters_joined", "attributed_orders", "commission", "promoter_gini"]


@pytest.fixture(autouse=True)
def known_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "promoter_joined", False)


def paid(told: Story, user: int, fen: int, merchant: int = 0, kind: str = "commission_paid") -> None:
    """An attributed order of user 9 that pays this commission, ten days later."""
    order = told.event("order", 2 * DAY, user=9, merchant=merchant, amount=10 * fen)
    counted = told.event("attributed", 2 * DAY, order, user=9, peer=user, merchant=merchant, amount=10 * fen)
    told.event(kind, 12 * DAY, counted, user=user, peer=9, merchant=merchant, amount=fen)


def test_a_market_with_two_merchants(tmp_path: Path) -> None:
    told = Story()
    for user in (1, 2, 3):
        told.event("promoter_joined", DAY, user=user)
    told.event("promoter_joined", DAY, user=1, merchant=1)
    paid(told, 1, 300)
    paid(told, 1, 300)
    paid(told, 2, 200)
    paid(told, 2, 500, kind="commission_voided")  # the order came back
    paid(told, 1, 400, merchant=1)
    ledger = told.write(tmp_path / "run")
    # earnings 0, 200, 600: mean absolute difference (200 + 600 + 400) · 2 / 9 over twice the mean 800 / 3
    assert table(ledger, NAMES, "tea_house") == pytest.approx(
        {"promoters_joined": 3, "attributed_orders": 4, "commission": 8.0, "promoter_gini": 2400 / 9 / (1600 / 3)}
    )
    assert table(ledger, NAMES, "bakery") == pytest.approx(
        {"promoters_joined": 1, "attributed_orders": 1, "commission": 4.0, "promoter_gini": 0.0}
    )


def test_nothing_paid_has_no_inequality(tmp_path: Path) -> None:
    told = Story()
    told.event("promoter_joined", DAY, user=1)
    got = table(told.write(tmp_path / "run"), NAMES)
    assert math.isnan(got.pop("promoter_gini"))
    assert got == {"promoters_joined": 1, "attributed_orders": 0, "commission": 0}


@pytest.mark.slow
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=12).filter(any))
def test_gini_is_half_the_relative_mean_difference(tmp_path_factory: pytest.TempPathFactory, earned: list[int]) -> None:
    told = Story()
    for user, fen in enumerate(earned):
        told.event("promoter_joined", DAY, user=user)
        if fen:
            paid(told, user, fen)
    got = table(told.write(tmp_path_factory.mktemp("gini") / "run"), ["promoter_gini"])["promoter_gini"]
    pairs = sum(abs(x - y) for x in earned for y in earned)
    assert got == pytest.approx(pairs / (2 * len(earned) * sum(earned)), abs=1e-12)
