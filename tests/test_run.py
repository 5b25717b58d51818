"""What a run promises: one ledger, whatever runs beside it, however it is written down, in whatever order."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.config.load import load
from sim.config.model import Scenario
from sim.config.shipped import names
from sim.ledger.audit import audit
from sim.ledger.reader import Ledger
from sim.run import run

SMALL = """
title: A small town
extends: base
horizon: {{start: 2025-01-20, days: {days}}}
world: {{people: {{count: {people}}}}}
{more}
"""
FULL = """
merchants:
  tea_house:
    channels: {store: {}, mini_program: {}, service_account: {}, groups: {}, moments: {}}
    offers: {gift_packet: {occasion_page: true}, coupon: {}}
"""

Make = Callable[..., Scenario]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def scenario(more: str = FULL, days: int = 8, people: int = 250) -> Scenario:
        path = tmp_path / "scenario.yaml"
        path.write_text(SMALL.format(days=days, people=people, more=more), encoding="utf-8")
        return load(path)

    return scenario


def ledgers(scenario: Scenario, folder: Path, *seeds: int) -> list[Ledger]:
    return run(scenario, seeds, [folder / str(seed) for seed in seeds])


def total(ledger: Ledger) -> str:
    return str(ledger.manifest["digest"]["total"])


def test_the_same_run_twice_writes_the_same_bytes(make: Make, tmp_path: Path) -> None:
    scenario = make()
    (first,), (second,) = ledgers(scenario, tmp_path / "a", 5), ledgers(scenario, tmp_path / "b", 5)
    assert first.events.num_rows > 50
    for file in sorted(first.folder.rglob("*.*")):
        assert file.read_bytes() == (second.folder / file.relative_to(first.folder)).read_bytes(), file.name


def test_worlds_side_by_side_each_write_the_ledger_of_their_lone_run(make: Make, tmp_path: Path) -> None:
    scenario = make()
    together = ledgers(scenario, tmp_path / "together", 3, 0, 8)
    for ledger, seed in zip(together, (3, 0, 8), strict=True):
        (alone,) = ledgers(scenario, tmp_path / f"alone{seed}", seed)
        assert total(alone) == total(ledger)
        assert alone.events.equals(ledger.events)
        assert alone.postings.equals(ledger.postings)
        assert alone.stock.equals(ledger.stock)
        assert alone.daily.equals(ledger.daily)
    assert len({total(ledger) for ledger in together}) == 3


def test_the_order_of_mechanisms_in_the_file_does_not_matter(make: Make, tmp_path: Path) -> None:
    scenario = make()
    backwards = scenario.model_copy(
        update={part: dict(reversed(getattr(scenario, part).items())) for part in ("people", "platform")}
    )
    assert list(backwards.people) != list(scenario.people)
    (one,), (other,) = ledgers(scenario, tmp_path / "a", 1), ledgers(backwards, tmp_path / "b", 1)
    assert total(one) == total(other)


def test_recording_everything_changes_nothing_else(make: Make, tmp_path: Path) -> None:
    scenario = make()
    everything = scenario.model_copy(update={"record": "all"})
    (some,), (all_of_it,) = ledgers(scenario, tmp_path / "a", 1), ledgers(everything, tmp_path / "b", 1)
    assert all_of_it.events.num_rows > 3 * some.events.num_rows
    assert total(some) == total(all_of_it)
    assert some.daily.equals(all_of_it.daily)
    assert audit(all_of_it).ok


def test_a_tick_of_another_length_is_another_model_but_keeps_the_books(make: Make, tmp_path: Path) -> None:
    scenario = make()
    quarter = scenario.model_copy(update={"horizon": scenario.horizon.model_copy(update={"tick": 900})})
    (ledger,) = ledgers(quarter, tmp_path / "a", 1)
    assert audit(ledger).ok


@pytest.mark.parametrize("switched_off", ["share", "repurchase", "follow", "fatigue", "search_intent"])
def test_what_people_do_less_changes_nobody_s_sessions(make: Make, tmp_path: Path, switched_off: str) -> None:
    def visits(scenario: Scenario, folder: str) -> list[tuple[int, int]]:
        (ledger,) = ledgers(scenario, tmp_path / folder, 4)
        rows = ledger.query(
            "select day, sum(count) n from daily where kind = 'visit' group by 1 order by 1"
        ).to_pylist()
        return [(row["day"], int(row["n"])) for row in rows]

    no_gifts = "people: {gift: false}"  # a gift wakes its recipient, which is a session more
    with_it = visits(make(no_gifts), "with")
    assert visits(make(f"people: {{gift: false, {switched_off}: false}}"), "without") == with_it
    assert len(with_it) == 8


def test_a_merchant_more_is_no_new_luck_for_the_others(make: Make, tmp_path: Path) -> None:
    shop = "merchants: {kiosk: {products: {stamp: {price: 5, category: toys}}}}"  # without a channel it meets nobody
    (before,), (after,) = ledgers(make(""), tmp_path / "a", 2), ledgers(make(shop), tmp_path / "b", 2)
    rows = "select * from events where merchant < 7 or merchant is null order by time, event"
    assert before.query(rows).num_rows > 50
    assert before.query(rows).equals(after.query(rows))


def test_renaming_a_merchant_changes_no_number(make: Make, tmp_path: Path) -> None:
    scenario = make()
    renamed = scenario.model_copy(
        update={"merchants": {f"shop_{i}": m for i, m in enumerate(scenario.merchants.values())}}
    )
    (one,), (other,) = ledgers(scenario, tmp_path / "a", 1), ledgers(renamed, tmp_path / "b", 1)
    assert total(one) == total(other)


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
