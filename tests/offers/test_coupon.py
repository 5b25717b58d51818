from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contract import LAYERS, Effects, View
from sim.engine.apply import appraise
from sim.kernels import queue
from sim.ledger.schema import ACCOUNTS, Records
from sim.offers.coupon import Coupon
from sim.units import DAY, Array
from sim.world.calendar import Calendar
from tests.views import CHANNELS, apply, make_view, mechanism, post_outcome, seat, show, slots_of

NAMES = {account.code: name for name, account in ACCOUNTS.items()}


def stage(users: int = 200, coupon: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, Coupon]:
    view = make_view(users, calendar=Calendar(date(2025, 1, 20), 60), **overrides)
    return view, mechanism(Coupon, view, **(coupon or {}))


class Till:
    """Settles coupons tick by tick, with plain books, and buys with whatever is held."""

    def __init__(self, view: View, coupon: Coupon) -> None:
        self.view, self.coupon = view, coupon
        self.waiting = [(kind, rows) for kind, rows in coupon.agenda(view, 60).items()]
        self.open: set[int] = set()
        self.events: dict[str, list[Records]] = {}
        self.balance: Counter[str] = Counter()

    def take(self, fx: Effects) -> None:
        for kind, rows in fx.events:
            self.events.setdefault(kind, []).append(rows)
        for currency, moves in fx.posts:
            assert currency == "coupon" and (moves.amount > 0).all()
            for source, target, amount in zip(moves.source, moves.target, moves.amount, strict=True):
                self.balance[NAMES[int(source)]] -= int(amount)
                self.balance[NAMES[int(target)]] += int(amount)
        self.waiting += fx.requests
        self.open |= {int(s) for subject, _ in fx.opens for s in subject}
        self.open -= {int(s) for subject in fx.closes for s in subject}
        apply(self.view, fx)

    def settle(self) -> None:
        """All requests that are due, in stages."""
        end, due, later = self.view.clock.end, [], []
        for kind, rows in self.waiting:
            due.append((kind, rows.take(rows.time < end)))
            later.append((kind, rows.take(rows.time >= end)))
        self.waiting = [(kind, rows) for kind, rows in later if rows.n]
        for kind in ("coupon_expiry", "coupon_issue", "coupon_claim"):
            rows = Records.concat([r for k, r in due if k == kind])
            rows = rows.take(rows.order())
            granted = np.ones(rows.n, np.bool_)
            if kind == "coupon_expiry":
                granted = np.array([int(cause) in self.open for cause in rows.cause], np.bool_)
                self.open -= {int(cause) for cause in rows.cause}
            elif kind == "coupon_claim":
                pool = np.full(self.view.world.m, self.balance["pool"])
                granted = queue.first_come(rows.merchant, rows.quantity, pool)
                post_outcome(self.view, kind, rows, granted)
            self.take(self.coupon.settle(self.view, kind, rows, granted))

    def day(self, day: int, lookers: Array, buyers: Array) -> None:
        """Lookers see product 1 of the merchant; of those, buyers buy it."""
        view = seat(self.view, user=lookers, day=day)
        if lookers.size:
            self.take(self.coupon.deliver(view))
            shown = show(view, np.arange(lookers.size), np.ones(lookers.size, np.int64), CHANNELS["store"])
            appraise(shown, [self.coupon.appraise(view)], view.shared("merchant", "stacking"))
            view.chosen = np.flatnonzero(np.isin(lookers, buyers))
            self.take(self.coupon.checkout(view))
            bought = Records(
                view.chosen.size, time=view.clock.start, user=lookers[view.chosen], merchant=0, product=1,
                event=view.chosen + 1 + day * 1_000,
            )  # fmt: skip
            post_outcome(view, "order", bought)
        self.settle()
        if lookers.size:
            self.take(self.coupon.respond(view))

    def rows(self, kind: str) -> Records:
        return Records.concat(self.events.get(kind, []))


@pytest.mark.slow
@given(
    pool=st.integers(0, 60),
    rate=st.floats(0, 1),
    keen=st.floats(0, 1),
    valid=st.integers(1, 20),
    luck=st.integers(0, 9),
)
@settings(max_examples=12)
def test_coupons_are_conserved_through_their_life(pool: int, rate: float, keen: float, valid: int, luck: int) -> None:
    view, coupon = stage(60, {"pool_per_month": pool, "claim_rate": rate, "valid_days": valid, "value": 5}, merchants=1)
    till, random = Till(view, coupon), np.random.default_rng(luck)
    for day in range(30):
        lookers = np.flatnonzero(random.random(60) < 0.3)
        till.day(day, lookers, lookers[random.random(lookers.size) < keen])
        held = till.balance["holder"]
        assert held == len(till.open) and min(till.balance[a] for a in ("pool", "holder")) >= 0
    for day in range(30, 55):
        till.day(day, np.zeros(0, np.int64), np.zeros(0, np.int64))
    issued, claimed, redeemed, expired = (
        till.rows(f"coupon_{what}") for what in ("issued", "claimed", "redeemed", "expired")
    )
    assert sum(till.balance.values()) == 0 == till.balance["holder"]
    assert -till.balance["issuer"] == issued.quantity.sum() == 3 * pool  # January to March
    assert till.balance["redeemed"] == redeemed.n and till.balance["expired"] == expired.n
    assert redeemed.n + expired.n == claimed.n == 3 * pool - till.balance["pool"]
    assert set(expired.cause.tolist()) <= set(claimed.event.tolist()) and np.unique(redeemed.event).size == redeemed.n


def test_a_pool_is_issued_on_the_first_day_and_every_month() -> None:
    view, coupon = stage(coupon={"pool_per_month": 70})
    rows = coupon.agenda(view, 60)["coupon_issue"]
    assert (rows.time // DAY).tolist() == [0, 12, 40] * 2
    assert rows.merchant.tolist() == [0] * 3 + [1] * 3
    assert (rows.quantity == -70).all() and np.unique(rows.event).size == 6


def test_claim_rate_and_one_claim_per_merchant() -> None:
    users, p = 20_000, 0.3
    view, coupon = stage(users)
    show(view, np.arange(users).repeat(2), np.tile([0, 1], users))
    ((kind, rows),) = coupon.checkout(view).requests
    assert kind == "coupon_claim" and np.unique(rows.user).size == rows.n
    assert abs(rows.n - users * p) < 4 * np.sqrt(users * p * (1 - p))
    assert (rows.detail == rows.time + 7 * DAY).all()


@pytest.mark.parametrize(
    ("channel", "viewed", "held", "planned", "claims"),
    [
        ("store", True, 0, True, True),
        ("store", False, 0, True, False),
        ("service_account", False, 0, True, True),
        ("groups", False, 0, True, True),
        ("store", True, 10**8, True, False),
        ("store", True, 1, True, True),
        ("store", True, 0, False, False),
    ],
)
def test_who_claims(channel: str, viewed: bool, held: int, planned: bool, claims: bool) -> None:
    view, coupon = stage(3, {"claim_rate": 1.0}, coupon_until=held, planned=planned)
    show(view, np.array([1]), np.array([2]), CHANNELS[channel], drawn=viewed)
    requests = coupon.checkout(view).requests
    assert [rows.user.tolist() for _, rows in requests] == ([[1]] if claims else [])


@pytest.mark.parametrize(
    ("price", "held", "off"), [(10_000, 10**8, 1_000), (9_999, 10**8, None), (10_000, 0, None), (20_000, 10**8, 1_000)]
)
def test_what_a_holder_saves(price: int, held: int, off: int | None) -> None:
    view, coupon = stage(3, {"value": 10, "min_spend": 100}, coupon_until=held, price=price)
    show(view, np.array([0, 2]), np.array([0, 5]))
    found = [(at.tolist(), o.tolist(), layer) for at, o, layer in coupon.appraise(view).discounts]
    assert found == ([([0, 1], [off, off], "coupon")] if off else [])


def test_a_coupon_that_lapses_within_the_tick_is_worth_nothing() -> None:
    view, coupon = stage(1)
    show(view, np.array([0]), np.array([0]))
    for until, worth in ((view.clock.end - 1, False), (view.clock.end, True)):
        slots_of(view)["merchant"][:, 0], slots_of(view)["coupon_until"][:, 0] = 0, until
        assert bool(coupon.appraise(view).discounts) == worth


def test_the_pool_is_first_come_first_served_and_used_coupons_do_not_expire() -> None:
    view, coupon = stage(50, {"pool_per_month": 10, "claim_rate": 1.0, "value": 5}, merchants=1)
    till = Till(view, coupon)
    everyone = np.arange(50)
    till.day(0, everyone, everyone[:0])
    claimed = till.rows("coupon_claimed")
    seconds = np.sort(view.sessions.time)
    assert claimed.n == 10 and np.sort(claimed.time).tolist() == seconds[:10].tolist()
    till.day(3, everyone, everyone[::2])
    redeemed = till.rows("coupon_redeemed")
    assert sorted(redeemed.user.tolist()) == sorted(u for u in claimed.user.tolist() if u % 2 == 0)
    assert (redeemed.amount == 500).all()
    till.day(8, everyone[:0], everyone[:0])
    assert sorted(till.rows("coupon_expired").user.tolist()) == sorted(u for u in claimed.user.tolist() if u % 2)
    assert set(till.rows("coupon_expired").cause.tolist()) <= set(claimed.event.tolist())


def test_an_order_that_was_refused_keeps_the_coupon() -> None:
    view, coupon = stage(2, coupon_until=10**8, merchants=1)
    show(view, np.array([0, 1]), np.array([0, 0])).off[:, LAYERS.index("coupon")] = 500
    view.chosen = np.array([0, 1])
    rows = Records(2, user=[0, 1], merchant=0, product=0, event=[8, 9])
    post_outcome(view, "order", rows, [True, False])
    apply(view, coupon.respond(view))
    assert slots_of(view)["coupon_until"][:, 0].tolist() == [0, 10**8]


def test_lapsed_coupons_are_forgotten() -> None:
    view, coupon = stage(3, day=5, merchants=1)
    slots_of(view)["merchant"][:, 0] = 0
    slots_of(view)["coupon_until"][:, 0] = [0, view.clock.start - 1, view.clock.end]
    apply(view, coupon.deliver(view))
    assert slots_of(view)["coupon_until"][:, 0].tolist() == [0, 0, view.clock.end]


@pytest.mark.parametrize(
    ("mine", "other", "price", "used"),
    [(10, 0, 200, True), (10, 9, 200, True), (10, 11, 200, False), (0, 30, 200, False), (150, 0, 120, True)],
)
def test_a_coupon_is_used_up_only_if_nothing_else_in_its_layer_took_more(
    mine: int, other: int, price: int, used: bool
) -> None:
    """Another offer in the layer: a code from a live show, say."""
    view, coupon = stage(1, {"value": mine or 10}, merchants=1, coupon_until=10**8 if mine else 0, price=price * 100)
    slots_of(view)["merchant"][:, 0] = 0
    shown = show(view, np.array([0]), np.array([0]))
    code = Effects()
    code.discount(np.array([0]), np.array([other * 100]), "coupon")
    appraise(shown, [coupon.appraise(view), code], view.shared("merchant", "stacking"))
    assert price * 100 - shown.amount[0] == 100 * min(max(mine, other), price)
    view.chosen = np.array([0])
    post_outcome(view, "order", Records(1, user=0, merchant=0, product=0, event=8))
    fx = coupon.respond(view)
    assert [kind for kind, _ in fx.events] == (["coupon_redeemed"] if used else [])
    apply(view, fx)
    assert (slots_of(view)["coupon_until"][0, 0] > 0) == bool(mine and not used)


def test_coupons_are_handed_out_in_their_window_and_used_beyond_it() -> None:
    for when, start, claims in (("always", -1, 3), ("campaign", -1, 0), ("campaign", 1, 0), ("campaign", 0, 3)):
        view, coupon = stage(3, {"claim_rate": 1.0, "when": when}, merchants=1, day=0, hour=12)
        begin = start * DAY
        view.state["merchant"] |= {"campaign_start": np.array([begin]), "campaign_end": np.array([begin + DAY])}
        show(view, np.arange(3), np.zeros(3, np.int64))
        assert sum(rows.n for _, rows in coupon.checkout(view).requests) == claims
        slots_of(view)["merchant"][:, 0], slots_of(view)["coupon_until"][:, 0] = 0, 10**8
        assert len(coupon.appraise(view).discounts) == 1
