"""The mini-program's plays, on a ledger told by hand."""

import math
from pathlib import Path

import pytest

from sim.metrics.catalog import table
from sim.metrics.mini import METRICS
from sim.units import DAY
from tests.ledger import story
from tests.ledger.story import KINDS, Story

WRITTEN = ("cart_abandoned", "cart_bought", "cart_recalled", "subscribed_notice", "oversold", "share_discount_used",
           "share_rewarded")  # fmt: skip


def test_carts_notices_oversell_and_shares_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in WRITTEN:
        monkeypatch.setitem(KINDS, kind, False)
    monkeypatch.setitem(KINDS, "notice_opened", True)
    monkeypatch.setattr(story, "CHANNELS", ("store", "cart", "mini_program"))
    told = Story()
    for kind, count in (("cart_abandoned", 6), ("cart_bought", 2), ("subscribed_notice", 5), ("notice_opened", 2)):
        for i in range(count):
            told.event(kind, DAY + i, user=i)
    recalls = [told.event("cart_recalled", 2 * DAY, user=i) for i in range(8)]
    told.event("cart_recalled", 2 * DAY, user=1, merchant=1)
    for recall, off in ((recalls[0], 1_500), (recalls[3], 0)):
        told.order(3 * DAY, recall["user"], 9_000, cause=recall, channel="cart", detail=off)
    told.event("order", 3 * DAY, recalls[5], user=5, amount=0, detail=300, channel="cart")  # nobody paid for it
    told.order(3 * DAY, 9, 9_000, channel="mini_program", detail=700)
    told.order(3 * DAY, 9, 9_000)
    told.event("oversold", 3 * DAY, user=2, amount=9_000)
    for meant, saved in ((1, 500), (0, 250), (0, 0)):
        told.event("share_rewarded", DAY, user=4, quantity=meant)
        told.event("share_discount_used", DAY, user=4, amount=saved)
    ledger = told.write(tmp_path / "run")
    want = {
        "mini_orders": 3, "cart_abandonment": 0.75, "recall_conversion": 0.25, "recalled_orders": 2,
        "recall_discount": 18.0,
        "notice_open_rate": 0.4, "oversold_orders": 1, "share_discount_cost": 7.5, "hunter_share": 2 / 3,
    }  # fmt: skip
    assert set(want) == {metric.name for metric in METRICS}
    assert table(ledger, want, "tea_house") == pytest.approx(want)
    other = table(ledger, want, "bakery")
    assert other["recall_conversion"] == 0 and math.isnan(other["hunter_share"])
