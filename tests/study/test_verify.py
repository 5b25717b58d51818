"""Verify: equal engines are told equal; a rule that depends on the batch is found, made small and named."""

from pathlib import Path

import numpy as np
import pytest

from sim.config.load import load
from sim.config.model import Scenario
from sim.contract import Effects, View
from sim.errors import StudyError
from sim.people.search_intent import SearchIntent
from sim.study.verify import resized, verify

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
    assert "first difference" in str(verdict.difference)


def test_people_of_a_graph_file_cannot_be_fewer() -> None:
    with pytest.raises(StudyError, match="leave out --users"):
        resized(load("real_friends"), users=5)
