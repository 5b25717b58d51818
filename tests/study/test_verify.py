"""Verify: equal engines are told equal; a rule that depends on the batch is found, made small and named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sim import draws
from sim.cli import app
from sim.config.load import load
from sim.config.model import Scenario
from sim.contract import Effects, View
from sim.errors import ConservationError, StudyError
from sim.ledger.reader import Ledger
from sim.operations import finance
from sim.people.search_intent import SearchIntent
from sim.study import verify as study
from sim.study.shrink import resized
from sim.study.verify import Failure, Verdict, compare_ledgers, verify
from sim.units import Array
from tests.ledger.story import Story, market

TOWN = """
title: A town
extends: base
horizon: {start: 2025-02-03, days: 2, tick: 6h}
world: {people: {count: 40}}
platform: {rivals: {attraction: 0}}
people: {browse: {opens: 0.9}}
"""


@pytest.fixture
def town(tmp_path: Path) -> Scenario:
    path = tmp_path / "town.yaml"
    path.write_text(TOWN, encoding="utf-8")
    return load(path)


def test_both_engines_write_the_same_ledger(town: Scenario) -> None:
    verdict = verify(town)
    assert verdict.equal
    assert verdict.rows["events"] > 20
    assert len(verdict.digest) == 32


@pytest.mark.slow
def test_a_draw_that_depends_on_the_batch_is_found_made_small_and_named(
    town: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = SearchIntent.arrive

    def by_place_in_the_batch(self: SearchIntent, view: View) -> Effects:
        fx = honest(self, view)
        if len(view.sessions) > 1:
            fx.scratch[:] = [(name, np.roll(values, 1)) for name, values in fx.scratch]
        return fx

    monkeypatch.setattr(SearchIntent, "arrive", by_place_in_the_batch)
    steps: list[str] = []
    verdict = verify(town, seed=1, told=steps.append)
    assert not verdict.equal
    assert verdict.scenario is not None and verdict.difference is not None
    assert verdict.scenario.world.people.count < 40
    assert "search_intent" in verdict.scenario.people
    assert len(verdict.scenario.people) < len(town.people)
    assert "people" in steps[-1]
    said = str(verdict.difference)
    assert "first difference" in said
    assert "people.search_intent/search" in said
    assert "people.search_intent/category" in said
    assert {draw.purpose.split("/")[0] for draw in verdict.difference.draws if draw.differs} <= {
        "people.browse",
        "people.buy",
        "platform.search_engine",
    }  # what follows upon the wish; the wish itself was drawn alike, and then given to somebody else


@pytest.mark.slow
def test_a_draw_that_only_one_engine_makes_is_marked(town: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = SearchIntent.arrive

    def numbered_by_place(self: SearchIntent, view: View) -> Effects:
        fx, now = Effects(), view.sessions
        place = np.arange(len(now))
        searches = draws.chance("people.search_intent/search", now.event, 0.5, place) & now.planned
        fx.note("search", np.where(searches, honest(self, view).scratch[0][1], -1))
        return fx

    monkeypatch.setattr(SearchIntent, "arrive", numbered_by_place)
    difference = verify(town, seed=1).difference
    assert difference is not None
    marked = [draw for draw in difference.draws if draw.differs and draw.purpose == "people.search_intent/search"]
    assert marked and all(draw.index > 0 and draw.events is None for draw in marked)
    assert "* people.search_intent/search" in str(difference)


@pytest.mark.slow
def test_a_law_that_only_the_audit_knows_is_found_without_a_swarm(
    town: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = finance.split

    def a_fen_less(amount: Array, platform_fee: float, payment_fee: float) -> tuple[Array, Array, Array]:
        platform, payment, rest = honest(amount, platform_fee, payment_fee)
        return platform, payment, np.maximum(rest - 1, 1)

    monkeypatch.setattr(finance, "split", a_fen_less)
    monkeypatch.setattr(study, "shrunk", lambda scenario, first, found, told: (scenario, first))
    verdict = verify(town)
    assert isinstance(verdict.difference, Failure)
    assert verdict.difference.sort == "the escrow of a deal ends at zero"
    assert "by operations.finance in `settle` of completion" in str(verdict)


def told(**kinds: int) -> str:
    return str(Verdict({"events": 70, "postings": 8, "stock": 9, "daily": 30}, "d1", kinds=kinds))


def test_what_was_compared_is_told() -> None:
    said = told(order=17, gift_sent=3, visit=50)
    assert "70 events (visits among them: 50), 8 moves of money, coupons and points, 9 moves of goods" in said
    assert "only" not in said


def test_a_small_case_is_told_to_be_small() -> None:
    assert "only 13 orders and gifts: a larger case says more; try --users N" in told(order=12, gift_sent=1)


# --------------------------------------------------------------------------------------------- on the command line

STRATEGIES = """strategies:
  as_ever: {}
  dear: {merchants: {tea_house: {products: {longjing: {price: 999}}}}}
"""


@pytest.fixture
def dear_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A scenario whose engines agree on all but one strategy; of that the smallest case has one person."""
    file = tmp_path / "town.yaml"
    file.write_text(TOWN + STRATEGIES, encoding="utf-8")
    wrong = load(file).strategies["dear"].digest

    def verdict(scenario: Scenario, seed: int | None, told: Callable[[str], None]) -> Verdict:
        told("both engines")
        if scenario.digest != wrong:
            return Verdict({"events": 7}, "")
        return Verdict({}, "", Failure(0, ConservationError("a fen is missing")), resized(scenario, users=1), 5)

    monkeypatch.setattr(study, "verify", verdict)
    monkeypatch.chdir(tmp_path)
    return file.name


def test_every_strategy_is_verified_and_what_fails_is_kept_to_run_again(dear_fails: str) -> None:
    result = CliRunner().invoke(app, ["verify", dear_fails])
    assert result.exit_code == 1
    assert "base: both engines wrote the same ledger" in result.stdout
    assert "strategy as_ever: the same scenario as base" in result.stdout
    assert "strategy dear: smallest case found: 1 people" in result.stdout
    assert "strategy dear: both engines" in result.stderr
    assert result.stdout.endswith(
        "wrote runs/verify/town-dear.yaml\nonce more: wxsim verify runs/verify/town-dear.yaml\n"
    )
    small = load("runs/verify/town-dear.yaml")
    assert (small.world.people.count, small.seed) == (1, 5)
    assert small.digest == resized(load(dear_fails).strategies["dear"], users=1).with_seed(5).digest


def test_one_strategy_alone(dear_fails: str) -> None:
    result = CliRunner().invoke(app, ["verify", dear_fails, "--strategy", "as_ever"])
    assert (result.exit_code, "base" in result.stdout) == (0, False)
    assert CliRunner().invoke(app, ["verify", dear_fails, "--strategy", "dear"]).exit_code == 1


def ledger(folder: Path, spoil: Callable[[Story], None] = lambda story: None) -> Ledger:
    story = market()
    spoil(story)
    return story.write(folder)


def test_a_row_is_set_beside_the_one_that_tells_of_the_same(tmp_path: Path) -> None:
    def dearer(story: Story) -> None:
        next(row for row in story.events if row["kind"] == "share")["quantity"] = 6

    def without(story: Story) -> None:
        story.events.remove(next(row for row in story.events if row["kind"] == "share"))

    whole, changed = ledger(tmp_path / "a"), ledger(tmp_path / "b", dearer)
    lacking = ledger(tmp_path / "c", without)
    found = compare_ledgers(whole, changed)
    assert found is not None and found.array is not None and found.events is not None
    assert (found.table, found.array["quantity"], found.events["quantity"]) == ("events", 5, 6)
    for one, other, kinds in ((whole, lacking, ["share", None]), (lacking, whole, [None, "share"])):
        found = compare_ledgers(one, other)
        assert found is not None
        assert [row and row["kind"] for row in (found.array, found.events)] == kinds
        assert "has no such row" in str(found)
    assert compare_ledgers(whole, ledger(tmp_path / "d")) is None


@pytest.mark.slow
def test_people_of_a_graph_file_cannot_be_fewer() -> None:
    with pytest.raises(StudyError, match="leave out --users"):
        resized(load("real_friends"), users=5)
