from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.channels.mini_program import GONE, MiniProgram, MiniProgramParams, bounce
from sim.channels.store import STEP_COST, Store
from sim.contract import Effects, View
from sim.ledger.schema import Records
from sim.units import DAY, Array
from sim.world.state import FOLLOWS, MEMBER, MINI
from tests.views import CHANNELS, apply, make_view, mechanism, post_outcome, show, slots_of

WINDOW = MiniProgramParams().window


def stage(users: int = 5_000, mini: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, MiniProgram]:
    view = make_view(users, columns=Store.columns, **overrides)
    view.scratch["surface_mini_programs"] = np.ones(len(view.sessions), np.bool_)
    return view, mechanism(MiniProgram, view, **(mini or {}))


def proposed(fx: Effects) -> tuple[Array, Array]:
    none = [np.zeros(0, np.int64)]
    return (
        np.concatenate([e["session"] for e in fx.exposures] or none),
        np.concatenate([e["product"] for e in fx.exposures] or none),
    )


def events(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


def bought(view: View, session: Array, merchant: int = 0, kind: str = "order") -> None:
    user = view.sessions.user[session]
    post_outcome(view, kind, Records(session.size, user=user, merchant=merchant, event=session + 1))


# ------------------------------------------------------------------------------------------------------- loading


@pytest.mark.parametrize(
    ("seconds", "growth"),
    [(0.3, 1.0), (1, 1.0), (2, 1.16), (3, 1.32), (4, 1.61), (5, 1.90), (6, 2.06), (8, 2.145), (10, 2.23), (30, 2.23)],
)
def test_bounce_grows_with_loading_time_as_in_the_source(seconds: float, growth: float) -> None:
    assert bounce(MiniProgramParams(loading_seconds=seconds, bounce_at_1s=0.1)) == pytest.approx(0.1 * growth)


@pytest.mark.parametrize(("seconds", "p"), [(1.0, 0.2), (5.0, 0.38)])
def test_share_that_does_not_wait(seconds: float, p: float) -> None:
    users = 20_000
    view, mini = stage(users, {"loading_seconds": seconds, "bounce_at_1s": 0.2})
    show(view, np.arange(users), np.zeros(users, np.int64), CHANNELS["mini_program"])
    gone = int((mini.appraise(view).appeals[0] < -GONE / 2).sum())
    assert abs(gone - users * p) < 4 * np.sqrt(users * p * (1 - p))
    assert events(mini.respond(view), "bounced").n == gone


@given(st.lists(st.floats(0.1, 20), min_size=2, max_size=2).map(sorted))
@settings(max_examples=20)
def test_a_faster_program_keeps_everybody_whom_a_slower_one_keeps(seconds: list[float]) -> None:
    def kept(loading: float) -> set[int]:
        view, mini = stage(300, {"loading_seconds": loading, "bounce_at_1s": 0.4})
        show(view, np.arange(300), np.zeros(300, np.int64), CHANNELS["mini_program"])
        return set(np.flatnonzero(mini.appraise(view).appeals[0] > -GONE / 2).tolist())

    assert kept(seconds[1]) <= kept(seconds[0])


def test_a_page_loads_once_per_session_for_all_its_goods() -> None:
    view, mini = stage(2_000, {"bounce_at_1s": 0.4})
    show(view, np.arange(2_000).repeat(3), np.tile([0, 1, 2], 2_000), CHANNELS["mini_program"])
    gone = (mini.appraise(view).appeals[0] < -GONE / 2).reshape(-1, 3)
    assert (gone.sum(axis=1) % 3 == 0).all() and gone.any() and not gone.all()


# ---------------------------------------------------------------------------------------------------------- path


@pytest.mark.parametrize(
    ("channel", "flags", "orders", "steps"),
    [
        ("store", 0, 0, 5),
        ("store", MINI, 4, 5),  # the store's own card leads into the store
        ("mini_program", 0, 0, 6),
        ("mini_program", 0, 1, 3),
        ("mini_program", MINI, 0, 3),
        ("service_account", FOLLOWS, 0, 5),
        ("service_account", FOLLOWS, 2, 5),
        ("service_account", FOLLOWS | MINI, 0, 3),
        ("share_chat", MINI, 0, 3),
    ],
)
def test_steps_to_the_till(channel: str, flags: int, orders: int, steps: int) -> None:
    view, mini = stage(2, {"bounce_at_1s": 0.0}, flags=flags, orders=orders)
    show(view, np.array([0, 1]), np.array([0, 4]), CHANNELS[channel])
    inside = mini.appraise(view).appeals
    total = mechanism(Store, view).appraise(view).appeals[0] + (inside[0] if inside else 0)
    assert total == pytest.approx(STEP_COST * (5 - steps))


def test_a_long_way_through_the_store_does_not_matter_inside() -> None:
    view, mini = stage(2, {"bounce_at_1s": 0.0}, flags=MINI)
    show(view, np.array([0, 1]), np.array([0, 4]), CHANNELS["mini_program"])
    long = mechanism(Store, view, path_steps=9, step_cost=0.3).appraise(view).appeals[0]
    assert long + mini.appraise(view).appeals[0] == pytest.approx(0.3 * (5 - 3))


def test_without_any_store_the_usual_path_is_the_yardstick() -> None:
    view, mini = stage(2, {"bounce_at_1s": 0.0}, flags=MINI)
    for name in ("path_steps", "step_cost"):
        del view.state["merchant"][name]
    show(view, np.array([0, 1]), np.array([0, 4]), CHANNELS["groups"])
    assert mini.appraise(view).appeals[0] == pytest.approx(STEP_COST * 2)


def test_merchants_without_it_are_not_touched() -> None:
    view = make_view(2, columns=Store.columns, flags=MINI)
    mini = mechanism(MiniProgram, view, on=[True, False])
    show(view, np.array([0, 1]), np.array([3, 4]), CHANNELS["mini_program"])
    assert not mini.appraise(view).appeals


# --------------------------------------------------------------------------------------------------------- reach


def test_those_who_have_it_step_in_at_the_menu_rate_and_see_the_best_sellers() -> None:
    users, p = 20_000, 0.1
    sold = np.array([5, 0, 7, 9, 1, 2] * 2)
    view, mini = stage(users, known=1, flags=MINI, products=6, sold=sold)
    session, product = proposed(mini.expose(view))
    assert abs(session.size / WINDOW - users * p) < 4 * np.sqrt(users * p * (1 - p))
    assert np.unique(product).tolist() == [0, 2, 3, 5]


@pytest.mark.parametrize("overrides", [{"flags": FOLLOWS}, {"flags": MINI, "planned": False}])
def test_others_do_not_see_its_menu(overrides: dict[str, Any]) -> None:
    view, mini = stage(500, {"menu_visit": 1.0}, **overrides)
    assert proposed(mini.expose(view))[0].size == 0


def test_who_does_not_look_through_her_list_does_not_step_in() -> None:
    view, mini = stage(500, {"menu_visit": 1.0}, flags=MINI)
    view.scratch["surface_mini_programs"][100:] = False
    assert set(proposed(mini.expose(view))[0].tolist()) == set(range(100))
    del view.scratch["surface_mini_programs"]
    assert proposed(mini.expose(view))[0].size == 0


def test_codes_are_scanned_in_proportion_to_their_rates() -> None:
    users = 30_000
    view = make_view(users, columns=Store.columns)
    mini = MiniProgram((MiniProgramParams(scan=0.02), MiniProgramParams(scan=0.06)), np.ones(2, np.bool_), view.world)
    count = np.bincount(view.world.product["merchant"][proposed(mini.expose(view))[1]], minlength=2) / 3
    p = np.array([0.02, 0.06])
    assert (np.abs(count - users * p) < 4 * np.sqrt(users * p * (1 - p))).all()


@pytest.mark.parametrize("kind", ["order", "gift_order"])
def test_buyers_keep_it_and_members_join_at_their_rates(kind: str) -> None:
    users, keep, join = 20_000, 0.3, 0.25
    view, mini = stage(users, known=1, flags=0)
    bought(view, np.arange(users), kind=kind)
    fx = mini.respond(view)
    kept, joined = events(fx, "mini_program_added"), events(fx, "member_joined")
    assert abs(kept.n - users * keep) < 4 * np.sqrt(users * keep * (1 - keep))
    assert abs(joined.n - users * keep * join) < 4 * np.sqrt(users * keep * join)
    apply(view, fx)
    flags = slots_of(view)["flags"][:, 0]
    assert np.flatnonzero(flags & MINI).tolist() == kept.user.tolist()
    assert np.flatnonzero(flags & MEMBER).tolist() == joined.user.tolist()
    again = mini.respond(view)
    assert not np.intersect1d(events(again, "mini_program_added").user, kept.user).size
    assert not np.intersect1d(events(again, "member_joined").user, joined.user).size


def test_refused_orders_and_pages_not_seen_add_nobody() -> None:
    view, mini = stage(4, {"adoption": 1.0, "card_entry": 1.0})
    rows = Records(2, user=[0, 1], merchant=0, event=[7, 8])
    post_outcome(view, "order", rows, [True, False])
    show(view, np.array([2, 3]), np.array([0, 0]), CHANNELS["share_chat"], peer=np.array([1, 1]))
    view.viewed = np.array([True, False])
    assert events(mini.respond(view), "mini_program_added").user.tolist() == [0, 2]


def test_friends_cards_open_in_it_now_and_then() -> None:
    users, p = 10_000, 0.5
    view, mini = stage(users)
    show(view, np.arange(users), np.zeros(users, np.int64), CHANNELS["share_group"], peer=np.ones(users))
    count = events(mini.respond(view), "mini_program_added").n
    assert abs(count - users * p) < 4 * np.sqrt(users * p * (1 - p))


def test_who_opened_it_has_it_in_her_list_once() -> None:
    view, mini = stage(3, {"bounce_at_1s": 0.0})
    show(view, np.array([0, 0, 1, 2]), np.array([0, 1, 4, 0]), CHANNELS["mini_program"])
    view.viewed[3] = False
    fx = mini.respond(view)
    added = events(fx, "mini_program_added")
    assert list(zip(added.user.tolist(), added.merchant.tolist(), strict=True)) == [(0, 0), (1, 1)]
    apply(view, fx)
    assert not events(mini.respond(view), "mini_program_added").n


# -------------------------------------------------------------------------------------------------- from elsewhere


@pytest.mark.parametrize(("rate", "days"), [(0.02, 1.0), (0.02, 5.5), (0.5, 5.5)])
def test_links_from_outside_are_a_poisson_process_between_sessions(rate: float, days: float) -> None:
    users = 20_000
    view, mini = stage(users, {"outside": rate, "outside_cost": 1.25, "outside_appeal": -2.0}, day=10)
    view.state["user"]["last_seen"][:] = view.sessions.time - int(days * DAY)
    fx = mini.expose(view)
    came, p = events(fx, "outside_entry"), 1 - np.exp(-rate * days)
    by_merchant = np.bincount(came.merchant, minlength=2)
    assert (np.abs(by_merchant - users * p) < 4 * np.sqrt(users * p * (1 - p))).all()
    ((currency, moves),) = fx.posts
    assert currency == "fen" and moves.n == came.n and (moves.amount == 125).all()
    shown = [e for e in fx.exposures if e["channel"] == CHANNELS["outside_link"]]
    assert sum(e["session"].size for e in shown) == 3 * came.n  # all their goods
    assert {float(a) for e in shown for a in np.unique(e["appeal"])} == {-2.0}


def test_who_has_never_been_seen_counts_from_the_start_and_woken_sessions_follow_no_link() -> None:
    view, mini = stage(2_000, {"outside": 10.0}, planned=np.arange(2_000) % 2 == 0)
    assert set(events(mini.expose(view), "outside_entry").user % 2) == {0}
    view.sessions.time[:] = 0
    assert not events(mini.expose(view), "outside_entry").n


@given(rates=st.lists(st.floats(0, 2), min_size=2, max_size=2).map(sorted))
@settings(max_examples=15)
def test_more_links_lose_no_visitor(rates: list[float]) -> None:
    view, _ = stage(300, day=3)
    low, high = (events(mechanism(MiniProgram, view, outside=rate).expose(view), "outside_entry") for rate in rates)
    assert set(low.event.tolist()) <= set(high.event.tolist())


def test_pages_of_the_account_open_in_it_now_and_then() -> None:
    users, p = 10_000, 0.4
    view, mini = stage(users, {"menu_entry": p})
    show(view, np.arange(users), np.zeros(users, np.int64), CHANNELS["service_account"])
    count = events(mini.respond(view), "mini_program_added").n
    assert abs(count - users * p) < 4 * np.sqrt(users * p * (1 - p))


@pytest.mark.parametrize("channel", ["cart", "template_messages", "outside_link"])
def test_pages_that_others_show_in_it_are_its_own(channel: str) -> None:
    view, mini = stage(2, {"bounce_at_1s": 0.0})
    show(view, np.array([0, 1]), np.array([0, 4]), CHANNELS[channel])
    assert mini.appraise(view).appeals[0] == pytest.approx(STEP_COST * (5 - 6))
    assert events(mini.respond(view), "mini_program_added").n == 2


def test_stacked_worlds_do_what_they_do_alone() -> None:
    seen = []
    for seeds in ((3, 8), (3,), (8,)):
        view, mini = stage(300, {"scan": 0.1, "menu_visit": 0.4, "outside": 0.3}, known=1, flags=MINI, seeds=seeds)
        session, product = proposed(mini.expose(view))
        seen.append(sorted(zip(session.tolist(), product.tolist(), strict=True)))
    assert seen[0] == seen[1] + [(s + 300, p + 6) for s, p in seen[2]]
