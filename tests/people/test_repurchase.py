"""Buying again: what is taken away from the BG/NBD model, whose closed forms are in `tests/theory/test_bgnbd.py`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.ledger.schema import Records
from sim.people.repurchase import Repurchase
from sim.units import DAY
from sim.world.state import DROPPED, FOLLOWS, GROUP, MEMBER, MINI, MUTED, PINNED, Column
from tests.views import apply, make_view, mechanism, post_outcome, seat, show, slots_of

SIGMAS = 4.0
ALONE = {"recall": 1.0, "cycle_share": 0.0}  # every need is remembered and met, no pause
A, B = 0.793, 2.426
LATE = Column("slot", "late", np.float32, 0, "share by which her next order is delayed")


def customers(users, *, columns=(), **overrides):
    """A view of people with the columns that the mechanism owns."""
    return make_view(users, columns=(*Repurchase.columns, *columns), **overrides)


def test_people_drop_out_after_a_repeat_order_with_the_mean_of_the_beta_and_never_after_the_first():
    n = 12_000
    view = customers(n, merchants=2, orders=np.tile([0, 1, 1, 1, 1, 1], (n, 1)))
    again = mechanism(Repurchase, view)
    both = np.repeat(np.arange(n), 2)
    post_outcome(view, "order", Records(2 * n, user=both, merchant=np.tile([0, 1], n)))
    apply(view, again.respond(view))
    dropped = (slots_of(view)["flags"] & DROPPED) != 0
    assert not dropped[:, 0].any()
    mean = A / (A + B)
    assert abs(dropped[:, 1].mean() - mean) < SIGMAS * np.sqrt(mean * (1 - mean) / n)


def test_a_refused_order_drops_nobody():
    view = customers(500, orders=3)
    post_outcome(view, "order", Records(500, user=np.arange(500), merchant=0), granted=False)
    apply(view, mechanism(Repurchase, view, b=1e-6).respond(view))
    assert not (slots_of(view)["flags"] & DROPPED).any()


def needs(view, **params):
    fx = mechanism(Repurchase, view, **params).arrive(view)
    apply(view, fx)
    return view.scratch["need_merchant"]


WEEKLY = {"r": 50.0, "alpha": 50.0, "met": 1.0}  # nearly everybody needs something once a week


def arising(weeks: float) -> float:
    """Share of people with a need within so many weeks: one minus the transform of the gamma at that time."""
    return 1 - (50.0 / (50.0 + weeks)) ** 50.0


def check_share(got: float, wanted: float, n: int) -> None:
    assert abs(got - wanted) < SIGMAS * np.sqrt(wanted * (1 - wanted) / n)


@pytest.mark.parametrize(
    ("flags", "recall"),
    [
        (0, 0.5),
        (FOLLOWS, 1 - 0.5 * 0.7),
        (FOLLOWS | PINNED, 1 - 0.5 * 0.7 * 0.7),
        (GROUP | MINI, 1 - 0.5 * 0.6 * 0.7),
        (FOLLOWS | PINNED | GROUP | MINI | MEMBER, 1 - 0.5 * 0.7 * 0.7 * 0.6 * 0.7 * 0.7),
        (FOLLOWS | GROUP | MUTED, 0.5),
        (MEMBER | MUTED, 1 - 0.5 * 0.7),
    ],
)
def test_recall_is_one_minus_the_product_of_what_is_missed(flags, recall):
    n = 8_000
    view = customers(n, merchants=1, day=14, hour=0, orders=1, last_order=0, last_seen=0, flags=flags)
    again = mechanism(Repurchase, view)
    assert again.recall(np.full(1, flags, np.uint16))[0] == pytest.approx(recall)
    wanted = recall * arising(2.0)
    check_share((needs(view, **WEEKLY, cycle_share=0.0) >= 0).mean(), wanted, n)


def test_more_ties_never_lose_a_need():
    n = 2_000
    few = customers(n, day=14, orders=1, last_order=0, last_seen=0, flags=FOLLOWS)
    many = customers(n, day=14, orders=1, last_order=0, last_seen=0, flags=FOLLOWS | GROUP | MINI)
    before, after = needs(few, **WEEKLY) >= 0, needs(many, **WEEKLY) >= 0
    assert after[before].all()
    assert (after & ~before).any()


def test_needs_wait_for_their_share_of_the_cycle():
    n = 8_000
    parts = {"merchants": 1, "hour": 0, "orders": 1, "last_order": 0, "last_seen": 0, "cycle_days": 20.0}
    assert (needs(customers(n, day=9, **parts), **{**(ALONE | WEEKLY), "cycle_share": 0.5}) == -1).all()
    later = needs(customers(n, day=17, **parts), **{**(ALONE | WEEKLY), "cycle_share": 0.5})
    check_share((later >= 0).mean(), arising(1.0), n)


def test_things_that_are_never_used_up_have_no_pause():
    view = customers(4_000, merchants=1, day=7, hour=0, orders=1, last_order=0, last_seen=0, cycle_days=0.0)
    check_share((needs(view, **WEEKLY, recall=1.0, cycle_share=1.0) >= 0).mean(), arising(1.0), 4_000)


def test_only_the_time_since_the_last_session_counts():
    n = 8_000
    view = customers(n, merchants=1, day=21, hour=0, orders=1, last_order=0, last_seen=20 * DAY)
    check_share((needs(view, **(ALONE | WEEKLY)) >= 0).mean(), arising(1 / 7), n)


def test_a_late_parcel_delays_the_next_need():
    n = 20_000
    view = customers(
        n, merchants=1, day=7, hour=0, orders=1, last_order=0, last_seen=0, late=0.5, columns=(LATE,)
    )  # exaggerated, so that the test can tell
    check_share((needs(view, **(ALONE | WEEKLY)) >= 0).mean(), arising(1 / 1.5), n)


def test_who_dropped_out_or_never_bought_or_is_only_woken_needs_nothing():
    old = {"day": 30, "last_order": 0, "last_seen": 0}
    for extra in ({"orders": 1, "flags": DROPPED}, {"orders": 0}, {"orders": 1, "planned": False}):
        assert (needs(customers(300, **old, **extra), **(ALONE | WEEKLY)) == -1).all()


GIVEN = Column("slot", "given", np.int16, -1, "day on which she last found a gift")


def test_recipients_need_at_their_share_of_the_pace_from_the_day_of_the_gift():
    n = 20_000
    at = {"merchants": 1, "day": 21, "hour": 0, "last_seen": 0, "columns": (GIVEN,), "cycle_days": 0.0}
    view = customers(n, orders=0, given=7, **at)
    check_share((needs(view, **(ALONE | WEEKLY), recipients=0.5) >= 0).mean(), arising(0.5 * 2.0), n)
    assert (needs(customers(500, orders=0, given=7, **at), **(ALONE | WEEKLY)) == -1).all()
    assert (needs(customers(500, orders=0, given=-1, **at), **(ALONE | WEEKLY), recipients=1.0) == -1).all()


def test_a_gift_supplies_a_customer_too():
    n = 20_000
    view = customers(
        n, merchants=1, day=21, hour=0, orders=1, last_order=0, last_seen=0, given=14, columns=(GIVEN,), cycle_days=10.0
    )
    wanted = needs(view, **(WEEKLY | {"recall": 1.0, "cycle_share": 0.35}), recipients=1.0) >= 0
    check_share(wanted.mean(), arising(0.5), n)  # the pause of half a week begins with the gift


def test_of_two_needs_each_comes_first_half_the_time():
    n = 8_000
    view = customers(n, merchants=2, day=300, orders=1, last_order=0, last_seen=0)
    check_share((needs(view, **(ALONE | WEEKLY)) == 0).mean(), 0.5, n)


def test_she_sees_all_products_of_the_merchant_the_more_gladly_the_more_loyal():
    view = customers(2, merchants=2, products=3, orders=1, loyalty=np.array([[0.9] * 6, [0.5] * 6]))
    view.scratch["need_merchant"] = np.array([1, 0])
    (shown,) = mechanism(Repurchase, view, appeal=4.5, loyalty_weight=2.0).expose(view).exposures
    assert shown["session"].tolist() == [0, 0, 0, 1, 1, 1]
    assert shown["product"].tolist() == [3, 4, 5, 0, 1, 2]
    assert shown["appeal"] == pytest.approx([4.5 + 2 * 0.4] * 3 + [4.5] * 3)
    assert shown["cause"].tolist() == np.repeat(view.sessions.event, 3).tolist()
    view.scratch["need_merchant"] = np.array([-1, -1])
    assert not mechanism(Repurchase, view).expose(view).exposures


def test_stacked_worlds_need_like_lone_ones():
    at = {"day": 21, "orders": 1, "last_order": 0, "last_seen": 0}
    both = needs(customers(400, seeds=(7, 8), **at), **WEEKLY)
    for place, seed in enumerate((7, 8)):
        own = needs(customers(400, seeds=(seed,), **at), **WEEKLY)
        mine = both[400 * place : 400 * (place + 1)]
        assert np.where(mine >= 0, mine - 2 * place, -1).tolist() == own.tolist()
        assert (own >= 0).sum() > 100


def test_another_reason_to_think_of_the_merchant_adds_to_recall_as_a_tie_does():
    n, lift = 20_000, 0.6
    points = Column("slot", "recall_points", np.float32, 0, "recall won by points")
    view = customers(n, merchants=1, orders=1, last_order=0, last_seen=0, day=70, columns=(points,), recall_points=lift)
    needed = needs(view, **WEEKLY, cycle_share=0.0, recall=0.2)
    assert "recall_points" in view.relation_columns
    check_share(np.mean(needed >= 0), arising(70.5 / 7) * (1 - 0.8 * (1 - lift)), n)


# ------------------------------------------------------------------------------------------------- stock at home


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=6))
def test_pieces_are_begun_one_after_the_other(orders):
    cycles = [10.0, 7.0, 0.0]
    view = customers(1, merchants=1, products=3, known=1, cycle_days=cycles)
    again, waiting, time = mechanism(Repurchase, view), [], 0  # when each stored piece is used up
    for gap, quantity, product in orders:
        time += gap * DAY + 1
        seat(view, day=time // DAY, hour=0)
        cycle = int(cycles[product] * DAY)
        stored = slots_of(view)["stored_until"][0, 0]
        post_outcome(view, "order", Records(1, user=0, merchant=0, product=product, quantity=quantity, time=time))
        apply(view, again.respond(view))
        waiting = [last for last in waiting if last > time]
        for _ in range(quantity - (0 if waiting else 1)):
            waiting.append((waiting[-1] if waiting else time) + cycle)
        waiting = [last for last in waiting if last > time]
        left = slots_of(view)["stored_until"][0, 0]
        assert left == (waiting[-1] if waiting else stored)


def test_one_piece_at_a_time_stores_nothing():
    view = customers(50, merchants=1, known=1)
    post_outcome(view, "order", Records(50, user=np.arange(50), merchant=0, product=1, quantity=1, time=9))
    apply(view, mechanism(Repurchase, view).respond(view))
    assert not slots_of(view)["stored_until"].any()


def test_no_need_arises_before_what_is_stored_is_in_use():
    n = 8_000
    parts = {"merchants": 1, "hour": 0, "orders": 1, "last_order": 0, "last_seen": 0, "stored_until": 20 * DAY}
    assert (needs(customers(n, day=19, **parts), **(ALONE | WEEKLY)) == -1).all()
    check_share((needs(customers(n, day=27, **parts), **(ALONE | WEEKLY)) >= 0).mean(), arising(1.0), n)
    paused = {**(ALONE | WEEKLY), "cycle_share": 0.5}
    later = customers(n, day=32, cycle_days=10.0, **parts)
    check_share((needs(later, **paused) >= 0).mean(), arising(1.0), n)


@pytest.mark.parametrize(
    ("stored", "last_order", "gift", "loss"),
    [(0, 0, False, 0.0), (99 * DAY, 0, False, 3.0), (1, 0, False, 0.0), (99 * DAY, 0, True, 0.0),
     (0, 29 * DAY, False, 2.0), (99 * DAY, 29 * DAY, False, 3.0)],
)  # fmt: skip
def test_who_has_enough_at_home_wants_less_of_that_merchant(stored, last_order, gift, loss):
    view = customers(3, merchants=2, day=30, cycle_days=20.0, orders=1, last_order=0)
    slots_of(view)["stored_until"][1, 0] = stored
    slots_of(view)["last_order"][1, 0] = last_order
    view.scratch["gift_peer"] = np.array([-1, 2 if gift else -1, -1])
    show(view, np.array([0, 1, 1]), np.array([0, 1, 4]))  # her own merchant's, and another's
    fx = mechanism(Repurchase, view, fresh=2.0, cycle_share=0.5).appraise(view)
    assert (fx.appeals[0].tolist() if fx.appeals else [0.0] * 3) == [0.0, -loss, 0.0]
