"""A watch changes nothing, says nothing of a sound run, and names tick, law and event of the first break."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.config.load import load
from sim.config.model import Scenario
from sim.contract import Effects, View
from sim.errors import ConservationError, ContractError
from sim.ledger.audit import AT_THE_END, CHECKS
from sim.ledger.reader import Ledger
from sim.ledger.schema import Postings, Records
from sim.operations import finance, inventory
from sim.people.follow import Follow
from sim.run import ENGINES, run
from sim.study.watch import AS_WRITTEN, LawBrokenError, Watch, watching
from sim.units import Array

pytestmark = pytest.mark.slow  # whole runs, asked after every tick

TOWN = """
title: A town that buys
extends: base
horizon: {start: 2025-02-03, days: 2, tick: 6h}
world: {people: {count: 40}}
platform: {rivals: {attraction: 0}}
people: {browse: {opens: 0.9}, follow: {propensity: 1}}
merchants: {tea_house: {channels: {service_account: {follow_prompt: 1}, groups: {}}, offers: {coupon: {}}}}
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path = tmp_path_factory.mktemp("town") / "town.yaml"
    path.write_text(TOWN, encoding="utf-8")
    return load(path)


@pytest.fixture(scope="module")
def sound(town: Scenario) -> Ledger:
    return run(town)[0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("record", ["orders", "all"])
def test_a_sound_run_is_as_if_nobody_looked(town: Scenario, sound: Ledger, engine: str, record: str) -> None:
    scenario = town.model_copy(update={"record": record})
    with watching(record == "all") as watch:
        watches: list[Watch] = []
        (ledger,) = run(scenario, engine=engine, watch=lambda engine: watches.append(watch(engine)) or watches[0])
    assert ledger.manifest["digest"] == sound.manifest["digest"]
    assert watches[0].audits == len(set(ledger.events["tick"].to_pylist()))


def first(sound: Ledger, *kinds: str) -> dict[str, Any]:
    told = sound.query("select * from events where list_contains($kinds, kind) order by tick, time, event", kinds=kinds)
    found: dict[str, Any] = told.slice(0, 1).to_pylist()[0]
    return found


def a_fen_less(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = finance.split

    def split(amount: Array, platform_fee: float, payment_fee: float) -> tuple[Array, Array, Array]:
        platform, payment, rest = honest(amount, platform_fee, payment_fee)
        return platform, payment, rest - 1

    monkeypatch.setattr(finance, "split", split)


def sell_what_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(inventory._STEPS, "order", ("factory", "transit"))


def end_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = finance.Finance.settle

    def settle(self: finance.Finance, view: View, kind: str, rows: Records, granted: Array) -> Effects:
        fx = honest(self, view, kind, rows, granted)
        if kind == "completion":
            fx.event("completed", rows.with_(event=rows.event + np.uint64(1)))
        return fx

    monkeypatch.setattr(finance.Finance, "settle", settle)


def count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Follow.respond

    def respond(self: Follow, view: View) -> Effects:
        fx = honest(self, view)
        fx.tallies = [*fx.tallies, *fx.tallies]
        return fx

    monkeypatch.setattr(Follow, "respond", respond)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("bug", "check", "kinds"),
    [
        (a_fen_less, "the escrow of a deal ends at zero", ("completed",)),
        (end_twice, "every deal ends once", ("completed",)),
        (sell_what_stays, AS_WRITTEN, ("order",)),
        (count_twice, AS_WRITTEN, ("follow",)),
    ],
)
def test_a_bug_is_caught_in_its_tick_and_named(
    town: Scenario,
    sound: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    bug: Callable[[pytest.MonkeyPatch], None],
    check: str,
    kinds: tuple[str, ...],
    engine: str,
) -> None:
    guilty = first(sound, *kinds)
    bug(monkeypatch)
    with watching() as watch, pytest.raises(ConservationError) as caught:
        run(town, engine=engine, watch=watch)
    said = str(caught.value)
    assert said.startswith(f"after tick {guilty['tick']}: {check}: event ")
    named = {f"{row['event']:016x}" for row in sound.events.to_pylist() if row["tick"] <= guilty["tick"]}
    assert said.split("event ")[1][:16] in named


def test_moves_that_the_books_refuse_are_audited_with_their_tick(
    town: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(self: finance.Finance, fx: Effects, rows: Records) -> None:
        fx.post("fen", Postings.move(rows, "escrow", rows.merchant, "courier", -1, rows.amount * 1_000))

    monkeypatch.setattr(finance.Finance, "_deliver", too_much)
    with pytest.raises(ConservationError, match=r"^event [0-9a-f]{16} leaves account escrow"):
        run(town)
    with watching() as watch, pytest.raises(LawBrokenError) as caught:
        run(town, watch=watch)
    broken = caught.value
    assert broken.law == "closed accounts stay above zero"
    assert [row["kind"] for row in broken.chain][0] == "delivered"
    assert broken.chain[0]["event"] == broken.breaks[0].event
    assert broken.chain[-1]["cause"] == 0
    (move,) = (done for done in broken.doings[broken.breaks[0].event] if "escrow" in done)
    assert move.endswith("to courier, by operations.finance in `settle` of delivery")


def test_audits_may_be_some_ticks_apart(town: Scenario, sound: Ledger) -> None:
    seen: list[Watch] = []
    with watching(every=4) as watch:
        run(town, watch=lambda engine: seen.append(watch(engine)) or seen[0])
    days = {tick // 4 for tick in sound.events["tick"].to_pylist()}
    assert len(days) - 1 <= seen[0].audits <= len(days)  # the last day may not be over when all has ended


def test_worlds_side_by_side_are_not_watched(town: Scenario) -> None:
    with watching() as watch, pytest.raises(ContractError, match="one world"):
        run(town, (1, 2), watch=watch)


def test_what_is_asked_only_in_the_end_is_a_check() -> None:
    assert set(AT_THE_END) < set(CHECKS)
