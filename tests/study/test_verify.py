"""Verify: equal engines are told equal; a rule that depends on the batch is found, made small and named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim import draws
from sim.config.load import load
from sim.config.model import Scenario
from sim.contract import Effects, View
from sim.errors import StudyError
from sim.ledger.reader import Ledger
from sim.people.search_intent import SearchIntent
from sim.study.shrink import resized
from sim.study.verify import compare_ledgers, verify
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


def test_people_of_a_graph_file_cannot_be_fewer() -> None:
    with pytest.raises(StudyError, match="leave out --users"):
        resized(load("real_friends"), users=5)
