"""What promotions sell, on ledgers told by hand."""

import math
from pathlib import Path

import pytest

from sim.metrics.catalog import table
from sim.units import DAY, HOUR
from tests.ledger.story import KINDS, Story


@pytest.fixture(autouse=True)
def openings(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("sale_opened", "campaign_opened"):
        monkeypatch.setitem(KINDS, kind, False)


def lift(story: Story, folder: Path) -> float:
    return table(story.write(folder / "run"), ["window_lift"], "tea_house")["window_lift"]


def test_sales_in_windows_are_set_against_those_before_anybody_waits(tmp_path: Path) -> None:
    told = Story()
    for day in (0, 3, 9):  # 10 days before the first window less a week of hush: 300 yuan in 13 days
        told.order(day * DAY + 100, 1, 10_000)
    told.order(15 * DAY, 1, 77_700)  # in the hush
    told.event("sale_opened", 20 * DAY, detail=21 * DAY)
    told.event("campaign_opened", 20 * DAY + 12 * HOUR, detail=22 * DAY)  # overlaps: two days in all
    told.event("sale_opened", 40 * DAY, detail=41 * DAY, merchant=1)
    for hour in (0, 13, 30, 47):
        told.order(20 * DAY + hour * HOUR, 2, 25_000)
    told.order(22 * DAY, 2, 99_900)
    told.order(20 * DAY + HOUR, 2, 99_900, merchant=1)
    assert lift(told, tmp_path) == pytest.approx((100_000 / 2) / (30_000 / 13))


def test_without_windows_there_is_no_lift(tmp_path: Path) -> None:
    told = Story()
    told.order(DAY, 1, 10_000)
    assert math.isnan(lift(told, tmp_path))


def test_the_festival_is_the_calendars_whoever_joins_in(tmp_path: Path) -> None:
    told = Story()
    days = {22: 1, 23: 1, 28: 2, 29: 3, 30: 4, 31: 5, 40: 6, 58: 7, 59: 8}  # 618 is day 30 from 19 May
    for day, count in days.items():
        for k in range(count):
            told.order(day * DAY + k * HOUR, k, 1_000)
    names = ["festival_orders", "festival_gmv", "before_orders", "after_orders"]
    ledger = told.write(tmp_path / "run")
    ledger.manifest["scenario"] = {"horizon": {"start": "2025-05-19"}}
    got = table(ledger, names, "tea_house")
    assert got == {"festival_orders": 7, "festival_gmv": 70, "before_orders": 4, "after_orders": 18}
    ledger.manifest["scenario"] = {"horizon": {"start": "2025-05-10"}}  # it is day 39, and the weeks after it are cut
    got = table(ledger, names, "tea_house")
    assert got["festival_orders"] == 0 and math.isnan(got["after_orders"])
    ledger.manifest["scenario"] = {"horizon": {"start": "2025-07-07"}}
    assert all(math.isnan(value) for value in table(ledger, names, "tea_house").values())
