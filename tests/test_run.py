"""What a run promises: whole folders, one ledger by either engine, nobody's luck moved by what others do less of.

That it is the same ledger whatever runs beside it, however it is written down, stands in tests/exactness.
"""

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.config.load import load
from sim.config.model import Scenario
from sim.config.shipped import names
from sim.contract import Effects, View
from sim.engine.engine import Engine
from sim.engine.events import EventEngine
from sim.errors import RunStopped
from sim.ledger.audit import audit
from sim.ledger.reader import Ledger
from sim.run import run
from sim.study.reproduce import reproduce

pytestmark = pytest.mark.slow  # `make test` runs it

DAYS = 6
SMALL = f"""
title: A small and busy town
extends: base
horizon: {{start: 2025-01-20, days: {DAYS}, tick: 2h}}
world: {{people: {{count: 150}}}}
platform: {{rivals: {{attraction: 0}}}}
people: {{browse: {{opens: 0.9}}, OFF}}
"""
FULL = """
merchants:
  tea_house:
    channels: {store: {}, mini_program: {}, service_account: {}, groups: {}, moments: {}}
    offers: {gift_packet: {occasion_page: true}, coupon: {}}
"""

NO_GIFTS = "gift: false"  # a gift wakes its recipient, which is a session more

Make = Callable[..., Scenario]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    def scenario(more: str = FULL, off: str = "") -> Scenario:
        path = tmp_path_factory.mktemp("scenario") / "scenario.yaml"
        path.write_text(SMALL.replace("OFF", off) + more, encoding="utf-8")
        return load(path)

    return scenario


@pytest.fixture(scope="module")
def usual(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The ledger that others are held against: the full scenario with seed 1."""
    (ledger,) = ledgers(make(), tmp_path_factory.mktemp("usual"), 1)
    assert ledger.events.num_rows > 300
    return ledger


@pytest.fixture(scope="module")
def usual_visits(make: Make, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, int]]:
    return visits(make("", NO_GIFTS), tmp_path_factory.mktemp("visits"))


def ledgers(scenario: Scenario, folder: Path, *seeds: int) -> list[Ledger]:
    return run(scenario, seeds, [folder / str(seed) for seed in seeds])


def visits(scenario: Scenario, folder: Path) -> list[tuple[int, int]]:
    """How many sessions there are on each day."""
    (ledger,) = ledgers(scenario, folder, 4)
    rows = ledger.query("select day, sum(count) n from daily where kind = 'visit' group by 1 order by 1").to_pylist()
    return [(row["day"], int(row["n"])) for row in rows]


def total(ledger: Ledger) -> str:
    return str(ledger.manifest["digest"]["total"])


def test_the_same_run_twice_writes_the_same_bytes(make: Make, usual: Ledger, tmp_path: Path) -> None:
    (again,) = ledgers(make(), tmp_path, 1)
    for file in sorted(usual.folder.rglob("*.*")):
        assert file.read_bytes() == (again.folder / file.relative_to(usual.folder)).read_bytes(), file.name


@pytest.mark.parametrize("engine", [Engine, EventEngine])
def test_who_is_only_woken_answers_and_looks_at_nothing_else(
    make: Make, engine: type[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Her inbox, but for what woke her, and all posts since her last visit wait for her next one."""
    honest, woken = Engine._respond, []

    def watched(self: Engine, view: View) -> list[Effects]:
        only = (~view.sessions.planned).nonzero()[0]
        before = view.own("last_seen")
        woken.extend(kind for kind, box in view.inboxes.items() for _ in range(np.isin(box.session, only).sum()))
        effects = honest(self, view)
        assert np.array_equal(view.own("last_seen")[only], before[only])
        assert np.array_equal(view.own("last_seen")[view.sessions.planned], view.sessions.time[view.sessions.planned])
        return effects

    monkeypatch.setattr(Engine, "_respond", watched)
    run(make(), engine="events" if engine is EventEngine else "array")
    assert set(woken) == {"gift"} and len(woken) > 5


def test_a_temporary_folder_goes_with_its_ledger(
    make: Make, usual: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    one, other = run(make(), (1, 2))
    assert one.folder.parent == other.folder.parent == tmp_path
    assert total(one) == total(usual)
    kept = other.folder
    del one, other
    gc.collect()
    assert not kept.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_no_temporary_folder(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(day: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        run(make(), (1,), progress=broken)
    assert list(tmp_path.iterdir()) == []


SCARCE = """
merchants:
  tea_house:
    channels: {store: {}, mini_program: {scan: 0.05}, service_account: {}, groups: {}}
    offers: {gift_packet: {}, coupon: {}}
    operations: {inventory: {opening: 2, reorder_point: 1, reorder_quantity: 2, cover_days: 0}}
"""


@pytest.mark.parametrize("more", [pytest.param(FULL, marks=pytest.mark.slow), SCARCE], ids=["full", "scarce"])
def test_one_session_and_one_request_at_a_time_write_the_same_ledger(make: Make, tmp_path: Path, more: str) -> None:
    scenario = make(more)
    (array,) = ledgers(scenario, tmp_path / "array", 6)
    (events,) = run(scenario, [6], [tmp_path / "events"], engine="events")
    refused = array.query("select count(*) n from events where kind = 'order_refused'").to_pylist()[0]["n"]
    assert (refused > 0) == (more is SCARCE)
    for table in ("events", "postings", "stock", "daily"):
        assert getattr(array, table).equals(getattr(events, table)), table
    assert audit(events).ok


def test_a_tick_of_another_length_is_another_model_but_keeps_the_books(make: Make, tmp_path: Path) -> None:
    scenario = make()
    half = scenario.model_copy(update={"horizon": scenario.horizon.model_copy(update={"tick": 3600})})
    (ledger,) = ledgers(half, tmp_path, 1)
    assert audit(ledger).ok


@pytest.mark.parametrize("switched_off", ["share", "repurchase", "follow", "fatigue", "search_intent"])
def test_what_people_do_less_changes_nobody_s_sessions(
    make: Make, usual_visits: list[tuple[int, int]], tmp_path: Path, switched_off: str
) -> None:
    assert visits(make("", f"{NO_GIFTS}, {switched_off}: false"), tmp_path) == usual_visits
    assert len(usual_visits) == DAYS


def test_a_merchant_more_is_no_new_luck_for_the_others(make: Make, tmp_path: Path) -> None:
    shop = "merchants: {kiosk: {products: {stamp: {price: 5, category: toys}}}}"  # without a channel it meets nobody
    (before,), (after,) = ledgers(make(more=""), tmp_path / "a", 2), ledgers(make(shop), tmp_path / "b", 2)
    rows = "select * from events where merchant < 7 or merchant is null order by time, event"
    assert before.query(rows).num_rows > 300
    assert before.query(rows).equals(after.query(rows))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in names() if name != "base"])
def test_shipped_scenarios_run_small_with_clean_books(name: str, tmp_path: Path) -> None:
    scenario = load(name)
    for strategy in scenario.strategies:
        small = scenario.strategy(strategy)
        horizon = small.horizon.model_copy(update={"days": 4})
        people = small.world.people.model_copy(update={"count": 300})
        if small.world.graph.file is None:
            small = small.model_copy(update={"world": small.world.model_copy(update={"people": people})})
        small = small.model_copy(update={"horizon": horizon})
        (ledger,) = run(small, (1,), [tmp_path / str(len(list(tmp_path.iterdir())))], strategy=strategy)
        report = audit(ledger)
        assert report.ok, report
        assert np.sum(ledger.daily["count"].to_numpy()) > 0


def test_a_run_that_is_stopped_keeps_its_whole_days(make: Make, usual: Ledger, tmp_path: Path) -> None:
    def after_three(day: int) -> None:
        if day == 2:
            raise RunStopped

    (ledger,) = run(make(), (1,), (tmp_path / "run",), progress=after_three)
    assert ledger.manifest["stopped"] == 3
    assert audit(ledger).ok, str(audit(ledger))
    days = usual.manifest["digest"]["days"]
    assert ledger.manifest["digest"]["days"] == {day: days[day] for day in days if int(day) < 3}
    assert reproduce(ledger.folder).same
