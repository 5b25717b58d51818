"""Live shows and lotteries, on ledgers told by hand."""

import math
from pathlib import Path

import pytest

from sim.metrics.catalog import table
from sim.metrics.live import METRICS
from sim.units import DAY
from tests.ledger import story
from tests.ledger.story import KINDS, Story

NAMES = [metric.name for metric in METRICS]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Story:
    for kind in ("live_reserved", "live_viewed", "lottery_entered"):
        monkeypatch.setitem(KINDS, kind, False)
    monkeypatch.setattr(story, "CHANNELS", (*story.CHANNELS, "live"))
    return Story()


def test_a_show_and_what_stays_of_it(told: Story, tmp_path: Path) -> None:
    for user in range(8):
        told.event("live_reserved", DAY, user=user)
    for user, reserved, minutes in ((1, 1, 12), (2, 1, 3), (3, 0, 6), (4, 0, 7)):
        told.event("live_viewed", 3 * DAY, user=user, quantity=reserved, detail=60 * minutes)
    told.event("live_viewed", 3 * DAY, user=9, quantity=1, merchant=1)
    for amount, channel, back in ((5_000, "live", True), (7_000, "live", False), (9_000, "store", False)):
        deal = told.event("order", 3 * DAY, user=1, amount=amount, channel=channel)
        told.event("delivered", 5 * DAY, deal, user=1, channel=channel)
        if back:
            told.event("returned", 6 * DAY, deal, user=1, amount=amount, channel=channel)
    got = table(told.write(tmp_path / "run"), [name for name in NAMES if "lottery" not in name], "tea_house")
    assert got == pytest.approx({
        "live_reservations": 8, "show_up": 0.25, "live_viewers": 4, "live_minutes": 7.0, "live_orders": 2,
        "live_conversion": 0.5, "live_gmv": 120.0, "live_net_gmv": 70.0, "live_return_share": 0.5,
        "other_return_share": 0.0,
    })  # fmt: skip


def test_fans_who_came_for_the_prize_and_left(told: Story, tmp_path: Path) -> None:
    told.event("unfollow", DAY, user=2)
    for user, kind in ((1, 2), (2, 1), (3, 2), (4, 1), (5, 0)):
        told.event("lottery_entered", 2 * DAY, user=user, detail=kind)
    for user, kind in ((1, "unfollow"), (3, "mute"), (5, "unfollow")):
        told.event(kind, 9 * DAY, user=user)
    told.event("unfollow", 9 * DAY, user=4, merchant=1)
    got = table(told.write(tmp_path / "run"), ["lottery_entries", "lottery_fans", "lottery_fans_gone"], "tea_house")
    assert got == pytest.approx({"lottery_entries": 5, "lottery_fans": 4, "lottery_fans_gone": 0.5})


def test_without_shows_and_lotteries_shares_are_undefined(told: Story, tmp_path: Path) -> None:
    got = table(told.write(tmp_path / "run"), NAMES)
    undefined = {name for name, value in got.items() if math.isnan(value)}
    assert undefined == {name for name in NAMES if "share" in name or name in (
        "show_up", "live_minutes", "live_conversion", "lottery_fans_gone")}  # fmt: skip
