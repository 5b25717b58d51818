"""Fatigue against the facts: which share of people ends it at which frequency."""

import numpy as np
import pytest

from sim.people.fatigue import Fatigue
from sim.units import DAY, WEEK
from sim.world.params import PeopleParams
from sim.world.people import people
from sim.world.state import FOLLOWS, GROUP, MEMBER, MUTED, PINNED
from tests.views import apply, make_view, mechanism, seat, slots_of

SIGMAS = 4.0
N = 2_000


def live(view, fatigue, per_week, weeks):
    """Everybody notices so many messages a week of merchant 0, evenly, and opens WeChat for each."""
    for message in range(round(per_week * weeks)):
        day, hour = divmod(round(message * 168 / per_week), 24)
        seat(view, day=day, hour=hour)
        apply(view, fatigue.deliver(view))
        slots_of(view)["notices"][:, 0] += (slots_of(view)["flags"][:, 0] & MUTED) == 0
        apply(view, fatigue.respond(view))
        view.state["user"]["last_seen"][view.sessions.user] = view.sessions.time


@pytest.mark.parametrize(("per_week", "share"), [(0.8, 0.0), (1.2, 0.10), (5.5, 0.47), (11, 0.80)])
def test_share_of_people_whose_tolerance_ends_just_above_a_frequency_is_the_fact(per_week, share):
    view = make_view(N, flags=FOLLOWS)
    traits = people(7, view.world.user_key, np.zeros(N, np.int32), PeopleParams())
    view.world.people["tolerance"] = traits["tolerance"]
    live(view, mechanism(Fatigue, view, hazard=1.0), per_week, weeks=4)
    muted = (slots_of(view)["flags"][:, 0] & MUTED) != 0
    assert abs(muted.mean() - share) <= SIGMAS * np.sqrt(share * (1 - share) / N)


def test_the_count_fades_by_e_in_a_week():
    view = make_view(3, day=9, hour=0, notices=4.0, last_seen=[2 * DAY, 5 * DAY, 9 * DAY])
    apply(view, mechanism(Fatigue, view).deliver(view))
    gone = (view.sessions.time - np.array([2 * DAY, 5 * DAY, 9 * DAY])) / WEEK
    assert slots_of(view)["notices"][:, 0] == pytest.approx(4.0 * np.exp(-gone), rel=1e-6)


def annoyed(users=8_000, flags=FOLLOWS | GROUP, **params):
    view = make_view(users, merchants=1, flags=flags, notices=9.0, tolerance=4.0)
    view.state["merchant"]["fans"][:] = users
    fx = mechanism(Fatigue, view, **params).respond(view)
    apply(view, fx)
    return view, dict(fx.events)


def test_those_who_have_enough_act_with_the_hazard_and_leave_or_mute():
    view, events = annoyed(hazard=0.5, leaves=0.4)
    for kind, share in (("mute", 0.3), ("unfollow", 0.2), ("leave_group", 0.2)):
        assert abs(events[kind].n / 8_000 - share) < SIGMAS * np.sqrt(share * (1 - share) / 8_000)
    assert events["unfollow"].user.tolist() == events["leave_group"].user.tolist()
    flags = slots_of(view)["flags"][:, 0]
    assert (flags[events["mute"].user] == FOLLOWS | GROUP | MUTED).all()
    assert (flags[events["unfollow"].user] == MUTED).all()
    assert view.state["merchant"]["fans"].tolist() == [8_000 - events["unfollow"].n]


def test_who_leaves_undoes_only_the_ties_that_speak():
    view, events = annoyed(users=20, flags=FOLLOWS | PINNED | MEMBER, hazard=1.0, leaves=1.0)
    assert (slots_of(view)["flags"][:, 0] == MEMBER | MUTED).all()
    assert "leave_group" not in events


def test_nobody_acts_twice_or_below_her_tolerance_or_when_only_woken():
    calm = make_view(100, merchants=1, flags=FOLLOWS, notices=4.4, tolerance=4.0)
    done = make_view(100, merchants=1, flags=FOLLOWS | MUTED, notices=9.0, tolerance=4.0)
    woken = make_view(100, merchants=1, flags=FOLLOWS, notices=9.0, tolerance=4.0, planned=False)
    for view in (calm, done, woken):
        fx = mechanism(Fatigue, view, hazard=1.0).respond(view)
        assert not (fx.events or fx.relations or fx.tallies)


def test_merchants_tire_people_one_by_one():
    view = make_view(30, merchants=2, flags=FOLLOWS, notices=np.tile([9.0, 1.0, 0, 0, 0, 0], (30, 1)), tolerance=4.0)
    apply(view, mechanism(Fatigue, view, hazard=1.0, leaves=0.0).respond(view))
    flags = slots_of(view)["flags"]
    assert (flags[:, 0] == FOLLOWS | MUTED).all()
    assert (flags[:, 1] == FOLLOWS).all()
