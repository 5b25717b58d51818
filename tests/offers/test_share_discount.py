"""Share and save: who shares for what, whom she tells, and who saves how much."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contract import LAYERS, Effects, View
from sim.engine.apply import appraise
from sim.ledger.schema import Records
from sim.offers.share_discount import ShareDiscount
from sim.units import HOUR
from tests.views import CHANNELS, apply, csr, make_view, mechanism, post_inbox, post_outcome, show, slots_of

OFFER = CHANNELS["share_discount"]


def stage(
    users: int = 200, offer: dict[str, Any] | None = None, product: int = 0, **overrides: Any
) -> tuple[View, ShareDiscount]:
    """Everybody sees a page of the first merchant: of 120 yuan, unless it is another."""
    view = make_view(users, columns=ShareDiscount.columns, **overrides)
    everyone = np.arange(len(view.sessions))
    show(view, everyone, view.world.world_of(everyone) * view.world.products + product)
    return view, mechanism(ShareDiscount, view, **(offer or {}))


def events(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


# ------------------------------------------------------------------------------------------------------ who shares


@pytest.mark.parametrize(("sharing", "hunting"), [(0.2, 0.0), (0.0, 2.0), (0.2, 2.0)])
def test_shares_and_hunters_come_at_their_rates(sharing: float, hunting: float) -> None:
    users, off = 20_000, 12.0
    view, offer = stage(users, {"sharing": sharing, "hunting": hunting, "off": off})
    rows = events(offer.respond(view), "share_rewarded")
    hunts = hunting * off / 120
    for found, p in ((rows.n, 1 - (1 - sharing) * (1 - hunts)), (int(rows.quantity.sum()), sharing)):
        assert abs(found - users * p) <= 4 * np.sqrt(users * p * (1 - p))
    assert events(offer.respond(view), "share").n == rows.n


@given(off=st.floats(1, 100), more=st.floats(1, 100))
@settings(max_examples=15)
def test_a_larger_discount_loses_nobody_who_shares_and_adds_hunters_only(off: float, more: float) -> None:
    rows = [
        events(offer.respond(view), "share_rewarded")
        for view, offer in (stage(300, {"sharing": 0.1, "hunting": 1.0, "off": o}) for o in (off, off + more))
    ]
    assert set(rows[0].user.tolist()) <= set(rows[1].user.tolist())
    meant = [set(r.user[r.quantity == 1].tolist()) for r in rows]
    assert meant[0] == meant[1]


def test_who_bought_or_gives_or_has_it_already_or_knows_nobody_does_not_share() -> None:
    nobody = csr(np.array([0, 1, 1, 1, 1, 1, 1]), np.array([2, 1, 1, 1, 1, 1]))
    view, offer = stage(7, {"sharing": 1.0}, graph=nobody, planned=np.arange(7) != 6, known=1, merchants=1)
    view.chosen = np.array([1])
    view.scratch["gift_peer"] = np.array([-1, -1, 0, -1, -1, -1, -1])
    view.viewed[3] = False
    slots_of(view)["share_until"][4, 0] = view.clock.start
    assert events(offer.respond(view), "share").user.tolist() == [5]


def test_one_share_of_a_merchant_in_a_session() -> None:
    view, offer = stage(50, {"sharing": 1.0})
    show(view, np.arange(50).repeat(3), np.tile([0, 1, 3], 50))
    rows = events(offer.respond(view), "share")
    assert np.bincount(rows.user * 2 + rows.merchant).tolist() == [1] * 100
    assert {0, 1, 3} == set(rows.product.tolist())


def test_who_means_it_tells_close_friends_and_a_hunter_anybody() -> None:
    users, degree = 20_000, 8
    weight = np.array([1.0, 0.5, 0.25, 0.25]).repeat(2)
    for how, expected in (
        ({"sharing": 1.0}, weight / weight.sum()),
        ({"sharing": 0.0, "hunting": 10.0}, weight * 0 + 0.125),
    ):
        view, offer = stage(users, {"layer_weights": (1.0, 0.5, 0.25, 0.25), "off": 120.0, **how})
        ((_, rows),) = offer.respond(view).messages
        gap = (rows.user - rows.peer) % users
        steps = [1, users - 1, 2, users - 2, 3, users - 3, 4, users - 4]
        found = np.array([(gap == step).sum() for step in steps])
        assert rows.n == users == found.sum() and degree == len(steps)
        assert (np.abs(found - users * expected) < 4 * np.sqrt(users * expected * (1 - expected))).all()


# --------------------------------------------------------------------------------------------------- what it saves


def test_the_friend_is_told_with_less_appeal_by_a_hunter() -> None:
    view, offer = stage(4, {"trust": 1.5, "hunter_trust": -0.5}, planned=np.arange(4) != 3)
    rows = Records(
        3, user=[1, 2, 3], peer=0, merchant=0, product=2, quantity=[1, 0, 1], event=[5, 6, 7], cause=[8, 9, 9]
    )
    post_inbox(view, "share_offer", rows)
    ((told),) = offer.expose(view).exposures
    assert told["channel"] == OFFER
    assert told["session"].tolist() == [1, 2] and told["appeal"].tolist() == [1.5, -0.5]
    assert told["cause"].tolist() == [8, 9] and told["peer"].tolist() == [0, 0]


def test_sharer_and_friend_save_what_is_stated_per_piece() -> None:
    view, offer = stage(5, {"off": 10, "friend_off": 5}, known=1, merchants=2)
    end = view.clock.end
    slots_of(view)["share_until"][:, 0] = [end, end - 1, 0, end, end]
    shown = show(view, np.arange(5), np.array([0, 0, 0, 0, 3]), np.array([0, 0, OFFER, OFFER, 0]), quantity=2)
    view.scratch["gift_peer"] = np.array([-1] * 5)
    shown.off[:], shown.amount[:] = 0, shown.amount // 2
    appraise(shown, [offer.appraise(view)], view.shared("merchant", "stacking"))
    assert shown.off[:, LAYERS.index("price")].tolist() == [2_000, 0, 1_000, 2_000, 0]
    view.scratch["gift_peer"][:] = 3
    assert not offer.appraise(view).discounts


def test_nothing_costs_less_than_nothing() -> None:
    view, offer = stage(2, {"off": 1_000}, known=1, share_until=10**8)
    ((at, off, layer),) = offer.appraise(view).discounts
    assert (at.tolist(), off.tolist(), layer) == ([0, 1], [12_000, 12_000], "price")


def test_it_is_used_with_the_first_order_and_counted_where_it_counted() -> None:
    view, offer = stage(4, {"off": 10, "friend_off": 5}, known=1)
    slots_of(view)["share_until"][:, 0] = [10**8, 10**8, 0, 10**8]
    shown = show(view, np.arange(4), np.zeros(4, np.int64), np.array([0, 0, OFFER, 0]))
    shown.off[:, LAYERS.index("price")] = [1_000, 1_500, 500, 1_000]  # a sale took 15 yuan off for the second
    view.chosen = np.arange(4)
    rows = Records(4, user=np.arange(4), merchant=0, product=0, event=np.arange(4) + 9, quantity=1)
    post_outcome(view, "order", rows, [True, True, True, False])
    fx = offer.respond(view)
    used = events(fx, "share_discount_used")
    assert (used.user.tolist(), used.amount.tolist(), used.detail.tolist()) == ([0, 2], [1_000, 500], [0, 1])
    assert used.cause.tolist() == [9, 11]
    apply(view, fx)
    assert slots_of(view)["share_until"][:, 0].tolist() == [0, 0, 0, 10**8]


def test_it_lasts_as_long_as_stated() -> None:
    view, offer = stage(3, {"sharing": 1.0, "valid_hours": 5})
    fx = offer.respond(view)
    apply(view, fx)
    assert (slots_of(view)["share_until"][:, 0] == view.sessions.time + 5 * HOUR).all()
    assert events(fx, "share_rewarded").detail.tolist() == (view.sessions.time + 5 * HOUR).tolist()


def test_stacked_worlds_do_what_they_do_alone() -> None:
    seen = []
    for seeds in ((3, 8), (3,), (8,)):
        n = len(seeds)
        ring = (np.arange(300)[:, None] + [1, -1]) % 300 + 300 * np.arange(n)[:, None, None]
        graph = csr(np.full(300 * n, 2), ring.ravel())
        view, offer = stage(300, {"sharing": 0.2, "hunting": 3.0}, seeds=seeds, graph=graph)
        ((_, rows),) = offer.respond(view).messages
        seen.append(sorted(zip(rows.user.tolist(), rows.peer.tolist(), rows.quantity.tolist(), strict=True)))
    assert seen[0] == sorted(seen[1] + [(u + 300, p + 300, q) for u, p, q in seen[2]])
