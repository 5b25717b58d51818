"""Windows, values and first purchases against plain loops over random histories."""

import random
from pathlib import Path
from typing import Any

import pytest

from sim.metrics.catalog import table
from sim.metrics.customers import WINDOWS
from sim.units import DAY
from tests.ledger.story import Story

Deal = dict[str, Any]


def history(seed: int) -> tuple[Story, list[Deal], dict[int, int]]:
    """A story of random purchases, its deals, and what was paid back of each."""
    luck = random.Random(seed)
    told = Story(users=8, days=45)
    deals, back = [], {}
    for time in sorted(luck.sample(range(45 * DAY), 40)):
        kind = luck.choice(["order", "order", "gift_sent"])
        deal = told.event(
            kind, time, user=luck.randrange(8), peer=luck.randrange(8) if kind == "gift_sent" else -1,
            merchant=luck.randrange(2), amount=luck.randrange(100, 9_000), quantity=1,
        )  # fmt: skip
        deals.append(deal)
        if luck.random() < 0.3:
            how = "returned" if kind == "order" else "gift_expired"
            told.event(how, time + DAY, deal, user=deal["user"], merchant=deal["merchant"], amount=deal["amount"])
            back[deal["event"]] = deal["amount"]
    return told, deals, back


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("merchant", [None, "bakery"])
def test_windows_are_those_of_a_plain_loop(seed: int, merchant: str | None, tmp_path: Path) -> None:
    told, deals, back = history(seed)
    ours = [deal for deal in deals if merchant is None or deal["merchant"] == 1]
    by_customer: dict[tuple[int, int], list[Deal]] = {}
    for deal in ours:
        by_customer.setdefault((deal["user"], deal["merchant"]), []).append(deal)
    want = {"new_customers": float(len(by_customer)), "orders_per_customer": len(ours) / len(by_customer)}
    for days in WINDOWS:
        seen = [c for c in by_customer.values() if c[0]["time"] + days * DAY <= 45 * DAY]
        inside = [[d for d in c if d["time"] <= c[0]["time"] + days * DAY] for c in seen]
        again = [len(c) > 1 for c in inside]
        worth = [sum(d["amount"] - back.get(d["event"], 0) for d in c) / 100 for c in inside]
        want[f"repeat_share_{days}d"] = sum(again) / len(again) if again else float("nan")
        want[f"ltv_{days}d"] = sum(worth) / len(worth) if worth else float("nan")
    assert table(told.write(tmp_path / "run"), want, merchant) == pytest.approx(want, nan_ok=True)


def test_the_window_is_closed_at_its_last_second(tmp_path: Path) -> None:
    told = Story(days=60)
    for user, wait in ((1, 30 * DAY), (2, 30 * DAY + 1)):
        for time in (100, 100 + wait):
            told.event("order", time, user=user, amount=500)
    got = table(told.write(tmp_path / "run"), ["repeat_share_30d", "ltv_30d"])
    assert got == pytest.approx({"repeat_share_30d": 0.5, "ltv_30d": (10 + 5) / 2})
