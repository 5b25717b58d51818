"""The profile of a run: every part of it once, no second counted twice, the same ledger."""

from time import perf_counter, sleep

import pytest

from sim.config.load import load
from sim.engine.profile import Profile
from sim.run import run
from sim.study.shrink import resized


def test_time_spent_in_a_part_is_not_counted_in_the_part_that_called_it() -> None:
    profile = Profile()
    inner = profile._timed(("settle", "inner"), lambda: sleep(0.02))
    outer = profile._timed(("settle", "outer"), lambda: (inner(), inner()))
    start = perf_counter()
    outer()
    took = perf_counter() - start
    assert profile.calls == {("settle", "inner"): 2, ("settle", "outer"): 1}
    assert 0.04 <= profile.seconds["settle", "inner"] <= took
    assert sum(profile.seconds.values()) <= took


def test_what_raises_is_counted_too() -> None:
    profile = Profile()
    timed = profile._timed(("close", "broken"), lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        timed()
    assert profile.calls["close", "broken"] == 1
    assert len(profile._inner) == 1


def test_a_watched_run_writes_the_same_ledger_and_names_who_took_part() -> None:
    scenario = resized(load("triangle"), 60, 2)
    profile = Profile()
    (plain,), (watched,) = run(scenario), run(scenario, watch=profile.watch)
    assert watched.manifest["digest"] == plain.manifest["digest"]
    phases = [row[0] for row in profile.rows()]
    assert len([a for a, b in zip(phases, phases[1:], strict=False) if a != b]) + 1 == len(
        set(phases)
    )  # each in one piece
    who = {(phase, name) for phase, name, _, calls in profile.rows() if calls}
    assert {("plan", "people.browse"), ("expose", "channels.store"), ("choose", "people.buy")} <= who
    assert "people.browse" in str(profile)
