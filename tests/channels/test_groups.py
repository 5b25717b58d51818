from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.channels.groups import Groups
from sim.contract import Effects, View
from sim.engine.settle import Subjects, grant
from sim.ledger.schema import Records
from sim.units import DAY, HOUR, Array
from sim.world.calendar import Calendar
from sim.world.state import GROUP, MUTED
from tests.views import apply, make_view, mechanism, post_inbox, post_outcome, seat, slots_of

DAY_OF_POST = 10


def stage(users: int = 5_000, groups: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, Groups]:
    """Everybody has a session at noon on the day after a post of merchant 0 at 20 h."""
    view = make_view(users, columns=Groups.columns, **{"day": DAY_OF_POST + 1, **overrides})
    post = Records(1, time=DAY_OF_POST * DAY + 20 * HOUR, event=7, merchant=0, product=1)
    view.contents["group_post"] = post
    return view, mechanism(Groups, view, **(groups or {}))


def events(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


def parcels(view: View, user: Array, merchant: Any = 0) -> None:
    rows = Records(user.size, user=user, merchant=merchant, product=0, cause=np.arange(user.size) + 50, detail=800)
    post_inbox(view, "parcel_arrived", rows)


def join(view: View, groups: Groups) -> Effects:
    """From the parcel to the seat: requests, tickets, what the ledger hears, flags."""
    ((_, asked),) = groups.checkout(view).requests
    asked, granted = grant("ticket", asked.take(asked.order()), view.state, Subjects())
    settled = groups.settle(view, "join_group", asked, granted)
    asked = asked.take(np.argsort(asked.user))
    post_outcome(view, "join_group", asked, granted)
    apply(view, groups.respond(view))
    return settled


# -------------------------------------------------------------------------------------------------------- joining


def test_joining_rate() -> None:
    users, p = 20_000, 0.15
    view, groups = stage(users)
    parcels(view, np.arange(users))
    ((kind, rows),) = groups.checkout(view).requests
    assert kind == "join_group" and np.unique(rows.event).size == rows.n
    assert abs(rows.n - users * p) < 4 * np.sqrt(users * p * (1 - p))


def test_a_full_group_opens_the_next_one_by_itself() -> None:
    view, groups = stage(502, {"joining": 1.0}, merchants=1)
    parcels(view, np.arange(502))
    joined = events(join(view, groups), "group_joined")
    first = np.argsort(joined.time, kind="stable")
    assert joined.detail[first].tolist() == [0] * 500 + [1, 1]  # first come, first served
    assert view.state["merchant"]["members"].tolist() == [502]
    assert np.bincount(slots_of(view)["group"][:, 0]).tolist() == [500, 2]
    assert ((slots_of(view)["flags"][:, 0] & GROUP) != 0).all()


def test_the_cap_is_the_platforms() -> None:
    view, groups = stage(90, {"joining": 1.0}, merchants=1)
    view.rules = {**view.rules, "group_cap": 40}
    parcels(view, np.arange(90))
    assert np.bincount(events(join(view, groups), "group_joined").detail).tolist() == [40, 40, 10]


def test_each_customer_sits_in_one_group_and_two_parcels_are_one_invitation() -> None:
    view, groups = stage(4, {"joining": 1.0}, known=1, flags=0)
    slots_of(view)["flags"][:, 0] = [0, GROUP, MUTED, 0]
    parcels(view, np.array([0, 0, 1, 2, 3]))
    ((_, rows),) = groups.checkout(view).requests
    assert rows.user.tolist() == [0, 3]


def test_recipients_who_were_only_woken_and_other_merchants_are_not_invited() -> None:
    view = make_view(4, columns=Groups.columns, planned=np.array([True, False, True, True]))
    groups = mechanism(Groups, view, on=[True, False], joining=1.0)
    parcels(view, np.arange(4), np.array([0, 0, 1, 0]))
    ((_, rows),) = groups.checkout(view).requests
    assert rows.user.tolist() == [0, 3]


# ---------------------------------------------------------------------------------------------------------- posts


@pytest.mark.parametrize(("per_week", "cap", "sent"), [(3, 1, 6), (7, 1, 14), (14, 1, 14), (14, 2, 28), (5, 0, 0)])
def test_posts_per_week_within_the_platforms_cap_per_day(per_week: int, cap: int, sent: int) -> None:
    view = make_view(4, 1, columns=Groups.columns, calendar=Calendar(date(2025, 1, 6), 14))
    view.rules = {**view.rules, "messages_per_customer_per_day": cap}
    groups = mechanism(Groups, view, posts_per_week=per_week, hour=9)
    rows = groups.agenda(view, 14)["group_post"]
    fx = groups.settle(view, "group_post", rows, np.ones(rows.n, np.bool_))
    out = events(fx, "group_post")
    assert out.n == sent == sum(r.n for _, r in fx.publications)
    assert out.n + events(fx, "group_post_refused").n == 2 * per_week == np.unique(rows.event).size
    assert not out.n or np.bincount(out.time // DAY).max() <= cap
    assert set((out.time % DAY // HOUR).tolist()) <= {9, 10}


@pytest.mark.parametrize(("members", "group", "size"), [(50, 0, 50), (500, 0, 500), (620, 0, 500), (620, 1, 120)])
def test_fewer_read_in_a_crowd(members: int, group: int, size: int) -> None:
    users, p = 20_000, 0.5 / (1 + size / 200)
    view, groups = stage(users, known=1, flags=GROUP, group=group, members=members)
    fx = groups.expose(view)
    assert abs(events(fx, "notice").n - users * p) < 4 * np.sqrt(users * p * (1 - p))
    (shown,) = fx.exposures
    assert shown["session"].tolist() == events(fx, "notice").user.tolist()
    assert (shown["product"] == 1).all() and (shown["cause"] == 7).all()
    apply(view, fx)
    assert slots_of(view)["notices"].sum() == shown["session"].size


@given(st.lists(st.integers(1, 500), min_size=2, max_size=2).map(sorted))
@settings(max_examples=20)
def test_a_smaller_group_only_gains_readers(members: list[int]) -> None:
    def readers(count: int) -> set[int]:
        view, groups = stage(300, known=1, flags=GROUP, group=0, members=count)
        return set(events(groups.expose(view), "notice").user.tolist())

    assert readers(members[1]) <= readers(members[0])


@pytest.mark.parametrize("overrides", [{"flags": GROUP | MUTED}, {"flags": 0}, {"flags": GROUP, "planned": False}])
def test_who_is_never_reached(overrides: dict[str, Any]) -> None:
    view, groups = stage(500, {"reading": 1.0}, members=1, group=0, **overrides)
    fx = groups.expose(view)
    assert not fx.events and not fx.exposures


def test_a_post_is_read_once_and_the_chat_moves_on() -> None:
    view, groups = stage(400, {"reading": 1.0, "crowding": 1e6}, known=1, flags=GROUP, group=0, members=1)
    assert events(groups.expose(view), "notice").n == 400
    view.state["user"]["last_seen"][:] = DAY_OF_POST * DAY + 21 * HOUR
    assert events(groups.expose(view), "notice").n == 0
    view.state["user"]["last_seen"][:] = -1
    seat(view, day=DAY_OF_POST + 3)
    assert events(groups.expose(view), "notice").n == 0
