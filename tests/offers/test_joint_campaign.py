from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import LAYERS, View
from sim.offers.joint_campaign import JointCampaign
from sim.units import DAY, HOUR
from sim.world.calendar import Calendar
from sim.world.state import FOLLOWS, GROUP, MEMBER, MINI, MUTED
from tests.views import CHANNELS, apply, make_view, mechanism, show, slots_of

P = {FOLLOWS: 0.2, GROUP: 0.3, MINI: 0.4, MEMBER: 0.1}
NAMES = {"fans": 0.2, "groups": 0.3, "mini_program": 0.4, "members": 0.1}


def stage(users: int = 200, **overrides: Any) -> View:
    view = make_view(users, **{"columns": JointCampaign.columns, "day": 1, **overrides})
    view.channels = {**CHANNELS, "joint_campaign": len(CHANNELS)}
    return view


@given(st.integers(0, 9), st.integers(1, 80), st.integers(1, 4), st.integers(1, 4), st.integers(0, 9))
def test_the_columns_hold_the_campaign_that_runs_or_was_announced_last(
    day: int, hours: int, times: int, every: int, notice: int
) -> None:
    hours = min(hours, every * 24)
    view = stage(1, merchants=1, calendar=Calendar(date(2025, 3, 3), 60))
    joint = mechanism(JointCampaign, view, day=day, hours=hours, times=times, every_days=every, announced_days=notice)
    calls = joint.agenda(view, 60)["campaign_call"]
    known = []
    for at in range(calls.n):  # one at a time and all at once come to the same: they are added up
        rows = calls.take(slice(at, at + 1))
        apply(view, joint.settle(view, "campaign_call", rows, np.ones(1, np.bool_)))
        span = tuple(int(view.state["merchant"][name][0]) for name in ("campaign_start", "campaign_end"))
        known.append((int(rows.time[0]), span))
    begins = [(day + k * every) * DAY for k in range(times)]
    assert [span for _, span in known] == [(b, b + hours * HOUR) for b in begins]
    for k, (time, _) in enumerate(known):
        last = begins[k - 1] + hours * HOUR if k else 0
        assert time == max(begins[k] - notice * DAY, last, 0)


@pytest.mark.parametrize("flags", [FOLLOWS, FOLLOWS | MINI, FOLLOWS | GROUP | MINI | MEMBER, 0, FOLLOWS | MUTED])
def test_ties_remind_independently(flags: int) -> None:
    users = 20_000
    view = stage(users, merchants=1, flags=flags)
    fx = mechanism(JointCampaign, view, day=1, **NAMES).expose(view)
    found = sum(rows.n for kind, rows in fx.events if kind == "reminded")
    share = 0.0 if flags & MUTED else 1 - np.prod([1 - p for flag, p in P.items() if flags & flag])
    assert abs(found - users * share) <= 4 * np.sqrt(users * share * (1 - share))
    apply(view, fx)
    assert slots_of(view)["notices"][:, 0].sum() == found


def test_more_ties_never_miss_what_fewer_find() -> None:
    def reminded(flags: int) -> set[int]:
        view = stage(3_000, merchants=1, flags=flags)
        fx = mechanism(JointCampaign, view, day=1, **NAMES).expose(view)
        return {user for _, rows in fx.events for user in rows.user.tolist()}

    few, many = reminded(FOLLOWS), reminded(FOLLOWS | MINI)
    assert few < many


def test_nobody_is_reminded_outside_the_window_and_all_is_worth_more_in_it() -> None:
    for day, worth in ((0, 0.0), (1, 0.25), (3, 0.0)):
        view = stage(50, merchants=2, day=day, flags=FOLLOWS)
        joint = mechanism(JointCampaign, view, on=[True, False], day=1, hours=48, appeal=0.25, fans=1.0)
        show(view, np.array([0, 0]), np.array([0, 3]))
        appeals = joint.appraise(view).appeals
        assert (appeals[0].tolist() if appeals else [0.0, 0.0]) == [worth, 0.0]
        assert bool(joint.expose(view).events) == bool(worth)


@pytest.mark.parametrize("layers", [(), ("price",), ("price", "coupon"), LAYERS])
def test_the_rule_of_stacking_is_the_merchants_from_the_start(layers: tuple[str, ...]) -> None:
    view = stage(1)
    mechanism(JointCampaign, view, on=[True, False], stacking=layers)
    bits = [name in layers for name in LAYERS]
    assert view.shared("merchant", "stacking").tolist() == [sum(1 << i for i, b in enumerate(bits) if b), 15]


def test_stacked_worlds_remind_like_lone_ones() -> None:
    def reminded(*seeds: int) -> list[int]:
        view = stage(200, merchants=1, seeds=seeds, flags=FOLLOWS)
        ((_, rows),) = mechanism(JointCampaign, view, day=1, fans=0.5).expose(view).events
        return rows.user.tolist()

    assert reminded(7, 8) == reminded(7) + [200 + user for user in reminded(8)]
