"""Parcels, ratings, refusals and annoyance."""

from pathlib import Path

import pytest

from sim.metrics.catalog import table
from sim.units import DAY, HOUR
from tests.ledger.story import KINDS, Story


def test_parcels_and_ratings_are_averaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "rating", False)
    told = Story()
    for hours, stars in ((20, 5), (72, 4), (73, 1)):
        parcel = told.event("delivered", 5 * DAY, user=1, detail=hours * HOUR)
        told.event("rating", 6 * DAY, parcel, user=1, detail=stars)
    told.event("delivered", 5 * DAY, user=1, merchant=1, detail=500 * HOUR)
    got = table(told.write(tmp_path / "run"), ["delivery_hours", "late_share", "rating"], "tea_house")
    assert got == pytest.approx({"delivery_hours": 55.0, "late_share": 1 / 3, "rating": 10 / 3})


def test_annoyance_is_set_against_messages_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "leave_group", False)
    monkeypatch.setitem(KINDS, "notice", True)
    told = Story()
    for kind, count in (("notice", 200), ("mute", 3), ("unfollow", 2), ("leave_group", 1), ("follow", 7)):
        for i in range(count):
            told.event(kind, 100 * i, user=i % 20)
    got = table(told.write(tmp_path / "run"), ["annoyance", "net_follows", "messages_noticed"], "tea_house")
    assert got == pytest.approx({"annoyance": 30.0, "net_follows": 5, "messages_noticed": 200})
