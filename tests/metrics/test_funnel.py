"""The funnel by channel."""

from pathlib import Path

import pytest

from sim.metrics.catalog import table
from sim.metrics.funnel import funnel
from tests.ledger.story import Story


def shop() -> Story:
    told = Story()
    for channel, exposures, views, orders in (("store", 20, 8, 2), ("moments", 50, 5, 1), (None, 4, 1, 0)):
        for kind, count in (("exposure", exposures), ("view", views), ("order", orders)):
            for i in range(count):
                amount = 1_500 if kind == "order" else 0
                told.event(kind, 1_000 * i, user=i, channel=channel, amount=amount, merchant=0)
    told.event("exposure", 0, user=1, channel="groups", merchant=1)
    told.event("gift_sent", 0, user=1, channel="groups", merchant=1, amount=700)
    return told


def test_each_channel_has_its_row(tmp_path: Path) -> None:
    rows = funnel(shop().write(tmp_path / "run"), "tea_house").to_pylist()
    assert rows == [
        {"channel": "store", "exposures": 20, "views": 8, "orders": 2, "gmv": 30.0},
        {"channel": "moments", "exposures": 50, "views": 5, "orders": 1, "gmv": 15.0},
        {"channel": "none", "exposures": 4, "views": 1, "orders": 0, "gmv": 0.0},
    ]


def test_channels_add_up_to_the_metrics(tmp_path: Path) -> None:
    ledger = shop().write(tmp_path / "run")
    rows = funnel(ledger).to_pylist()
    got = table(ledger, ["exposures", "views", "orders", "gmv", "view_rate", "conversion", "gpm"])
    sums = {name: sum(row[name] for row in rows) for name in ("exposures", "views", "orders", "gmv")}
    assert sums == {name: got[name] for name in sums}
    assert got["view_rate"] == pytest.approx(14 / 75)
    assert got["conversion"] == pytest.approx(4 / 14)
    assert got["gpm"] == pytest.approx(1000 * 52 / 75)
