"""The cart: who puts in what, how each thing leaves it, and what a reminder does."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.channels.cart import Cart
from sim.contract import Effects, View
from sim.ledger.schema import Records
from sim.units import DAY, HOUR, Array
from sim.world.state import FOLLOWS, MINI, MUTED, SLOTS
from tests.views import CHANNELS, apply, make_view, mechanism, post_inbox, post_outcome, seat, show, slots_of

MINI_PAGE = CHANNELS["mini_program"]


def stage(users: int = 2_000, cart: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, Cart]:
    view = make_view(users, columns=Cart.columns, **{"known": 1, "flags": MINI, **overrides})
    return view, mechanism(Cart, view, **(cart or {}))


def events(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


def look(view: View, product: int = 0, channel: int = MINI_PAGE, **columns: Any) -> None:
    everyone = np.arange(len(view.sessions))
    show(view, everyone, np.full(everyone.size, product), channel, **columns)


def full(view: View, cart: Cart, product: int = 0, since: int = 0) -> Array:
    """Everybody has had a product in the cart since then; the ids of what lies there."""
    slots_of(view)["cart_product"][:, 0], slots_of(view)["cart_since"][:, 0] = product, since
    user = view.sessions.user
    return cart._item(user, np.zeros(user.size, np.int64), np.full(user.size, since))


# ------------------------------------------------------------------------------------------------------ putting in


@pytest.mark.parametrize(
    ("how", "odds"),
    [
        ({}, 1.0),
        ({"appeal": 2.0}, np.exp(0.5 * 2.0)),
        ({"price": 6_000}, 2.0),  # half its customary price of 120 yuan, at weight and sensitivity 1
        ({"loyalty": 1.0}, np.exp(0.5)),
    ],
)
def test_what_goes_in_has_the_odds_of_the_formula(how: dict[str, Any], odds: float) -> None:
    users, put = 20_000, 0.08
    view, cart = stage(users, {"put": put}, **({"loyalty": how.pop("loyalty")} if "loyalty" in how else {}))
    look(view, **how)
    p = put * odds / (1 - put + put * odds)
    found = events(cart.respond(view), "cart_added").n
    assert abs(found - users * p) < 4 * np.sqrt(users * p * (1 - p))


@given(low=st.floats(-3, 3), more=st.floats(0, 3))
@settings(max_examples=15)
def test_more_appeal_only_adds_to_carts(low: float, more: float) -> None:
    view, cart = stage(400, {"put": 0.3})
    added = []
    for appeal in (low, low + more):
        look(view, appeal=appeal)
        added.append(set(events(cart.respond(view), "cart_added").user.tolist()))
    assert added[0] <= added[1]


@pytest.mark.parametrize(
    ("flags", "channel", "goes_in"),
    [
        (0, "mini_program", True),
        (0, "outside_link", True),
        (0, "share_chat", False),
        (FOLLOWS, "service_account", False),
        (MINI, "share_chat", True),
        (MINI, "store", False),
    ],
)
def test_only_pages_in_the_mini_program_have_a_cart(flags: int, channel: str, goes_in: bool) -> None:
    view, cart = stage(3, {"put": 1.0}, flags=flags)
    look(view, channel=CHANNELS[channel])
    assert events(cart.respond(view), "cart_added").n == 3 * goes_in


def test_nothing_goes_in_that_was_bought_or_not_seen_or_is_no_gift_or_finds_the_cart_full() -> None:
    view, cart = stage(6, {"put": 1.0})
    look(view)
    view.viewed[1] = False
    post_outcome(view, "order", Records(2, user=[0, 2], merchant=0, product=0, event=[1, 2]), [True, False])
    view.scratch["gift_peer"] = np.array([-1, -1, -1, 4, -1, -1])
    slots_of(view)["cart_product"][4, 0] = 2
    view.exposures.appeal[5] = -1e9  # the page did not load
    assert events(cart.respond(view), "cart_added").user.tolist() == [2]


def test_of_several_the_best_goes_in_and_a_stranger_needs_room_to_remember() -> None:
    view, cart = stage(2, {"put": 1.0}, merchants=SLOTS + 1, known=SLOTS)
    last = 3 * SLOTS  # the first product of a merchant whom she does not know
    show(view, np.array([0, 0, 0, 0]), np.array([0, 1, 2, last]), MINI_PAGE, appeal=np.array([0.0, 2.0, 1.0, 9.0]))
    fx = cart.respond(view)
    assert events(fx, "cart_added").product.tolist() == [1]
    apply(view, fx)
    assert slots_of(view)["cart_product"][0, 0] == 1
    assert not events(cart.respond(view), "cart_added").n


# ------------------------------------------------------------------------------------------------------- the life


class Desk:
    """Lets time pass: requests on a subject are granted while it is open, in order of time and id."""

    def __init__(self, view: View, cart: Cart) -> None:
        self.view, self.cart = view, cart
        self.waiting: list[tuple[int, int, str, Records]] = []
        self.open: set[int] = set()
        self.events: dict[str, list[Records]] = {}

    def take(self, fx: Effects) -> None:
        for kind, rows in fx.events:
            self.events.setdefault(kind, []).append(rows)
        for kind, rows in fx.requests:
            self.waiting += [
                (int(rows.time[i]), int(rows.event[i]), kind, rows.take(np.array([i]))) for i in range(rows.n)
            ]
        self.open |= {int(s) for some, _ in fx.opens for s in some}
        self.open -= {int(s) for some in fx.closes for s in some}
        apply(self.view, fx)

    def settle(self) -> None:
        due = sorted(x[:3] for x in self.waiting if x[0] < self.view.clock.end)
        rows_of = {x[:3]: x[3] for x in self.waiting}
        self.waiting = [x for x in self.waiting if x[0] >= self.view.clock.end]
        for key in due:
            rows, subject = rows_of[key], int(rows_of[key].cause[0])
            self.take(self.cart.settle(self.view, key[2], rows, np.array([subject in self.open])))
            self.open.discard(subject)

    def rows(self, kind: str) -> Records:
        return Records.concat(self.events.get(kind, []))


@given(put=st.floats(0, 1), keen=st.floats(0, 0.6), keep=st.integers(1, 4), hours=st.floats(2, 40), n=st.integers(0, 4))
@settings(max_examples=12, deadline=None)
def test_what_goes_in_comes_out_once_and_is_recalled_only_while_it_lies_there(
    put: float, keen: float, keep: int, hours: float, n: int
) -> None:
    view, cart = stage(
        30, {"put": put, "keep_days": keep, "reminders": n, "reminder_hours": hours, "consent": 0.7}, known=0
    )
    desk, random = Desk(view, cart), np.random.default_rng(n)
    for day in range(14):
        who = np.flatnonzero(random.random(30) < (0.5 if day < 9 else 0.0))
        seat(view, user=who, day=day)
        desk.take(cart.deliver(view))
        look(view)
        buys = random.random(who.size) < keen
        bought = Records(int(buys.sum()), user=who[buys], merchant=0, product=0, event=who[buys] + 1_000 * day + 1)
        post_outcome(view, "order", bought.with_(time=view.sessions.time[buys]))
        desk.settle()
        desk.take(cart.respond(view))
        for hour in range(13, 36):  # till noon of the next day
            seat(view, user=who[:0], day=day + hour // 24, hour=hour % 24)
            desk.settle()
    added, bought, gone = (desk.rows(f"cart_{what}") for what in ("added", "bought", "abandoned"))
    assert added.n == bought.n + gone.n
    assert not desk.waiting and not desk.open
    born = dict(zip(added.event.tolist(), added.time.tolist(), strict=True))
    ends = dict(zip(gone.cause.tolist(), gone.time.tolist(), strict=True))
    assert ends.keys() <= born.keys()
    assert all(ends[item] - born[item] == keep * DAY for item in ends)
    recalled = desk.rows("cart_recalled")
    step = round(hours * HOUR)
    for item, since, time in zip(
        recalled.cause.tolist(), recalled.detail.tolist(), recalled.time.tolist(), strict=True
    ):
        assert born[item] == since
        assert (time - since) % step == 0 and 1 <= (time - since) // step <= n
        assert time - since < keep * DAY
    count = np.unique(recalled.cause, return_counts=True)[1]
    assert count.max(initial=0) <= n


def test_those_who_allow_it_are_recalled_as_often_as_stated() -> None:
    users, p = 20_000, 0.3
    view, cart = stage(users, {"put": 1.0, "consent": p, "reminders": 3, "reminder_hours": 10, "keep_days": 1})
    look(view)
    requests = dict(cart.respond(view).requests)
    assert requests["cart_expiry"].n == users
    recall = requests["cart_recall"]  # at 10 and 20 hours; the third would come when it is given up
    who, count = np.unique(recall.user, return_counts=True)
    assert set(count.tolist()) == {2}
    assert abs(who.size - users * p) < 4 * np.sqrt(users * p * (1 - p))
    gap = recall.time - view.sessions.time[recall.user]
    assert sorted(set(gap.tolist())) == [10 * HOUR, 20 * HOUR]


def test_what_was_given_up_is_forgotten() -> None:
    view, cart = stage(2, {"keep_days": 1}, day=3)
    full(view, cart)
    slots_of(view)["cart_since"][1, 0] = 2 * DAY + 18 * HOUR
    apply(view, cart.deliver(view))
    assert slots_of(view)["cart_product"][:, 0].tolist() == [-1, 0]


# ------------------------------------------------------------------------------------------------------ back to it


def reminders(view: View, since: int = 0, each: int = 1) -> None:
    user = view.sessions.user.repeat(each)
    post_inbox(
        view,
        "cart_reminder",
        Records(user.size, user=user, merchant=0, product=0, detail=since, event=np.arange(user.size) + 1, cause=7),
    )


@pytest.mark.parametrize("loyalty", [0.5, 1.0])
def test_reminders_are_opened_at_their_rate(loyalty: float) -> None:
    users, rate = 20_000, 0.4
    view, cart = stage(users, {"open_rate": rate, "returns": 0.0}, loyalty=loyalty)
    full(view, cart)
    reminders(view)
    fx, p = cart.expose(view), rate * (0.5 + loyalty)
    opened = events(fx, "cart_opened")
    assert events(fx, "notice").n == users
    assert abs(opened.n - users * p) < 4 * np.sqrt(users * p * (1 - p))
    (shown,) = [e for e in fx.exposures if e["session"].size]
    assert shown["session"].tolist() == opened.user.tolist()
    assert set(shown["cause"].tolist()) == {7} and set(shown["product"].tolist()) == {0}


@pytest.mark.parametrize(
    "overrides", [{"flags": MINI | MUTED}, {"planned": False}, {"cart_since": 5}, {"cart_product": -1}]
)
def test_nobody_is_reminded_in_vain(overrides: dict[str, Any]) -> None:
    view, cart = stage(50, {"open_rate": 1.0, "returns": 0.0}, **overrides)
    if "cart_product" not in overrides:
        slots_of(view)["cart_product"][:, 0] = 0
    reminders(view)
    assert not cart.expose(view).events


def test_no_more_reminders_than_the_platform_allows() -> None:
    view, cart = stage(40, {"returns": 0.0})
    full(view, cart)
    reminders(view, each=5)
    assert np.bincount(events(cart.expose(view), "notice").user).tolist() == [3] * 40
    view.rules["reminders_per_customer_per_day"] = 0
    assert not cart.expose(view).events


def test_she_looks_into_her_cart_of_her_own_accord() -> None:
    users, p = 20_000, 0.1
    view, cart = stage(users, {"returns": p})
    full(view, cart, product=2)
    (shown,) = cart.expose(view).exposures
    assert abs(shown["session"].size - users * p) < 4 * np.sqrt(users * p * (1 - p))
    assert set(shown["product"].tolist()) == {2}


def test_what_a_reminder_is_worth_and_takes_off() -> None:
    view, cart = stage(3, {"kept_appeal": 0.25, "reminder_appeal": 1.0, "reminder_off": 0.15})
    cause = np.array([7, view.sessions.event[1], 7], np.uint64)
    look(view, channel=CHANNELS["cart"], cause=cause)
    fx = cart.appraise(view)
    assert fx.appeals[0].tolist() == [1.25, 0.25, 1.25]
    ((at, off, layer),) = fx.discounts
    assert (at.tolist(), off.tolist(), layer) == ([0, 2], [1_800, 1_800], "price")


def test_stacked_worlds_do_what_they_do_alone() -> None:
    seen = []
    for seeds in ((3, 8), (3,), (8,)):
        view, cart = stage(200, {"put": 0.3, "consent": 0.5}, seeds=seeds)
        everyone = np.arange(len(view.sessions))
        show(view, everyone, view.world.world_of(everyone) * view.world.products, MINI_PAGE)
        fx = cart.respond(view)
        seen.append(
            [(int(u), int(e)) for kind, rows in fx.requests for u, e in zip(rows.user, rows.event, strict=True)]
        )
    assert sorted(seen[0]) == sorted(seen[1] + [(u + 200, e) for u, e in seen[2]])
