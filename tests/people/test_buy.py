"""Click, choice and order, and the law that taste is frozen; shares of the logit: `tests/theory/test_logit.py`."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.contract import Effects
from sim.engine.apply import appraise
from sim.ledger.schema import Records
from sim.people.buy import Buy, BuyParams
from tests.views import apply, make_view, mechanism, post_outcome, seat, show, slots_of

N = 20_000
SIGMAS = 4.0
SURE = {"click_rates": {}, "click_rate": 0.999_999, "click_weight": 0.0}  # every page is opened
PLAIN = {**SURE, "taste_weight": 0.0, "quality_weight": 0.0, "level_elasticity": 0.0, "frozen_weight": 0.0}


def error(p: float, n: int) -> float:
    """Standard error of a share."""
    return float(np.sqrt(p * (1 - p) / n))


def everybody_sees(view, products, **columns):
    n = view.world.n
    spread = {name: np.tile(value, n) if np.ndim(value) else value for name, value in columns.items()}
    return show(view, np.repeat(np.arange(n), len(products)), np.tile(products, n), **spread)


def choose(view, **params):
    """Choose and apply; returns the product bought in each session, -1 for none."""
    buy = mechanism(Buy, view, **params)
    fx = buy.choose(view)
    apply(view, fx)
    view.viewed, view.chosen = fx.viewed, fx.chosen
    bought = np.full(len(view.sessions), -1)
    bought[view.exposures.session[fx.chosen]] = view.exposures.product[fx.chosen]
    return bought


# ------------------------------------------------------------------------------------------------ choice


def test_the_outside_option_of_rivals_is_used_when_it_is_there():
    view = make_view(2_000)
    view.scratch["outside"] = np.where(np.arange(2_000) % 2 == 0, 1e6, -1e6)
    everybody_sees(view, [0])
    bought = choose(view, **PLAIN)
    assert (bought[::2] == -1).all()
    assert (bought[1::2] == 0).sum() > 990  # a click in a million fails


def test_utility_falls_with_price_as_stated():
    prices = np.array([10_000, 12_000, 15_000])
    view = make_view(N, price_sensitivity=1.2)
    view.world.product["price"][:3] = 12_000
    everybody_sees(view, [0, 1, 2], price=prices)
    bought = choose(view, nothing=0.0, **PLAIN)
    weights = np.append((prices / 12_000.0) ** (-2.62 * 1.2), 1.0)
    for product, expected in zip((0, 1, 2, -1), weights / weights.sum(), strict=True):
        assert abs((bought == product).mean() - expected) < SIGMAS * error(expected, N)


def test_products_dearer_by_nature_lose_by_the_level_elasticity_and_their_own_price_by_the_full_one():
    view = make_view(1, merchants=1, products=3)
    view.world.product["price"][:] = [10_000, 20_000, 40_000]
    e = everybody_sees(view, [0, 1, 2])
    at = np.arange(3)
    quiet = {**PLAIN, "level_elasticity": 0.5}
    noise = mechanism(Buy, view, **PLAIN).utility(view, e, at)
    level = mechanism(Buy, view, **quiet).utility(view, e, at) - noise
    assert level == pytest.approx([0.5 * np.log(2), 0.0, -0.5 * np.log(2)])
    view.world.product["customary"] = np.array([10_000, 10_000, 40_000])
    full = mechanism(Buy, view, **PLAIN).utility(view, e, at) - noise
    assert full == pytest.approx([0.0, -2.62 * np.log(2), 0.0])


def test_quality_and_taste_enter_with_their_weights():
    view = make_view(2, taste=np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]), quality=0.6)
    e = show(view, np.array([0, 1]), np.array([0, 3]))  # categories 0 and 1
    at = np.arange(2)
    base = mechanism(Buy, view, **PLAIN).utility(view, e, at)
    more = mechanism(Buy, view, **{**PLAIN, "taste_weight": 2.0, "quality_weight": 3.0}).utility(view, e, at)
    assert more - base == pytest.approx([3.0 * -0.4 + 2.0 * (1.5 - 1), 3.0 * -0.4 + 2.0 * (0.6 - 1)], abs=1e-6)


@pytest.mark.parametrize(("weight", "low", "high"), [(0.0, 0.25, 0.42), (100.0, 0.95, 1.0)])
def test_the_same_person_likes_the_same_thing_tomorrow(weight, low, high):
    view = make_view(500)
    picks = []
    for hour in (9, 21):
        everybody_sees(seat(view, hour=hour), [0, 1, 2])
        picks.append(choose(view, nothing=-100.0, **{**PLAIN, "frozen_weight": weight, "elasticity": 0.0}))
    assert low <= (picks[0] == picks[1]).mean() <= high
    assert np.bincount(picks[0][picks[0] >= 0], minlength=3)[:3].min() > 120  # of 500, a third each


@settings(max_examples=30)
@given(cheaper=st.integers(0, 3), cut=st.floats(0.02, 0.9), weight=st.floats(0.0, 2.0), channel=st.integers(0, 3))
def test_a_lower_price_only_moves_people_towards_it(cheaper, cut, weight, channel):
    view = make_view(150, merchants=2, products=2)
    prices = np.array([9_000, 12_000, 15_000, 20_000])
    settled = {"frozen_weight": weight, "click_rates": {}, "click_rate": 0.5, "nothing": 0.5}
    everybody_sees(view, [0, 1, 2, 3], channel=channel, price=prices)
    before = choose(view, **settled)
    prices[cheaper] = int(prices[cheaper] * (1 - cut))
    everybody_sees(seat(view), [0, 1, 2, 3], channel=channel, price=prices)
    after = choose(view, **settled)
    assert (after[before == cheaper] == cheaper).all()
    moved = after != before
    assert (after[moved] == cheaper).all()


def test_seeing_something_on_two_surfaces_gives_no_second_lottery_ticket():
    once, twice = make_view(N), make_view(N)
    everybody_sees(once, [0], price=12_000)
    both = np.repeat(np.arange(N), 2)
    show(twice, both, np.zeros(2 * N, np.int64), channel=np.tile([0, 1], N), price=12_000)
    sure = {**PLAIN, "click_rate": 1.0 - 1e-12}
    assert choose(once, nothing=0.5, **sure).tolist() == choose(twice, nothing=0.5, **sure).tolist()


# ------------------------------------------------------------------------------------------------ click


def test_pages_are_opened_at_the_rate_of_the_channel():
    view = make_view(N)
    view.channels = {**view.channels, "nowhere": len(view.channels)}
    view.clicks = {"store": 0.25, "search": 0.4}
    stated: dict[str, Any] = {"click_rates": {"search": 0.3}}
    for channel, rate, params in (
        ("store", 0.25, stated),
        ("search", 0.3, stated),
        ("nowhere", 0.05, stated),
        ("store", 0.2, {"click_rate": 0.2}),
        ("search", 0.3, {"click_rate": 0.2, **stated}),
    ):
        everybody_sees(view, [0], channel=view.channels[channel])
        viewed = mechanism(Buy, view, **params).choose(view).viewed.mean()
        assert abs(viewed - rate) < SIGMAS * error(rate, N)


@pytest.mark.parametrize(("appeal", "shift"), [(1.0, 0.4), (-1.0, -0.4), (100.0, 1.5), (-1e9, -1.5)])
def test_interest_moves_the_log_odds_of_a_click_within_bounds(appeal, shift):
    view = make_view(N)
    everybody_sees(view, [0], appeal=appeal)
    viewed = mechanism(Buy, view, click_rates={}, click_rate=0.2, click_weight=0.4).choose(view).viewed.mean()
    expected = 1 / (1 + np.exp(np.log(4.0) - shift))
    assert abs(viewed - expected) < SIGMAS * error(expected, N)


def test_only_what_was_seen_is_bought_and_once_a_session():
    view = make_view(500)
    everybody_sees(view, list(range(6)))
    fx = mechanism(Buy, view, click_rates={}, click_rate=0.5, nothing=-5.0).choose(view)
    assert fx.viewed[fx.chosen].all()
    session = view.exposures.session[fx.chosen]
    assert np.unique(session).size == session.size > 400
    kinds = dict(fx.events)
    assert kinds["exposure"].n == 3_000
    assert kinds["view"].n == fx.viewed.sum()
    assert np.unique(kinds["exposure"].event).size == 3_000


def test_a_click_rate_must_be_a_share():
    with pytest.raises(ValidationError, match="between 0 and 1"):
        BuyParams(click_rates={"store": 1.0})


# ------------------------------------------------------------------------------------------------ order


def bought_view(users=400, **columns):
    view = make_view(users, variants=3, **columns)
    everybody_sees(view, [1], price=15_000)
    choose(view, nothing=-50.0, **PLAIN)
    return view


def test_the_variant_is_a_lasting_taste_equally_shared():
    view = make_view(N, variants=4)
    everybody_sees(view, [2])
    choose(view, nothing=-50.0, **PLAIN)
    first = view.scratch["variant"].copy()
    chosen = first >= 0
    shares = np.bincount(first[chosen] - 8, minlength=4) / chosen.sum()
    assert (np.abs(shares - 0.25) < SIGMAS * error(0.25, N)).all()
    everybody_sees(seat(view, hour=20), [2])
    choose(view, nothing=-50.0, **PLAIN)
    again = chosen & (view.scratch["variant"] >= 0)
    assert (view.scratch["variant"] == first)[again].all()


def test_people_take_another_variant_when_theirs_is_shown_sold_out():
    full = bought_view()
    short = make_view(400, variants=3)
    short.state["variant"]["stock"][4] = 0
    everybody_sees(short, [1], price=15_000)
    choose(short, nothing=-50.0, **PLAIN)
    liked, got = full.scratch["variant"], short.scratch["variant"]
    assert (got != 4).all()
    assert (got[liked != 4] == liked[liked != 4]).all()
    assert (liked == 4).any()


def test_an_order_carries_price_discount_variant_and_cause():
    view = bought_view()
    e, buy = view.exposures, mechanism(Buy, view, quantity=2)
    off = Effects()
    off.discount(np.arange(len(e)), np.full(len(e), 1_000))
    e.amount[:] = 16_000
    appraise(e, [buy.appraise(view), off], view.shared("merchant", "stacking"))
    (kind, rows), *rest = buy.checkout(view).requests
    assert (kind, rest) == ("order", [])
    assert rows.n == view.chosen.size > 390
    assert (rows.amount == 30_000).all()
    assert (rows.detail == 2 * (16_000 - 15_000)).all()
    assert (rows.variant // 3 == 1).all()
    assert (rows.cause == view.exposures.cause[view.chosen]).all()
    assert (rows.peer == -1).all()


def test_sessions_that_give_do_not_order_for_themselves():
    view = bought_view()
    view.scratch["giving"] = np.arange(400) % 2 == 0
    (_, rows) = mechanism(Buy, view).checkout(view).requests[0]
    assert (rows.user % 2 == 1).all()


def test_orders_and_refusals_are_written_down():
    view = make_view(4)
    rows = Records(4, user=np.arange(4), event=np.arange(1, 5))
    events = dict(mechanism(Buy, view).settle(view, "order", rows, np.array([True, False, True, False])).events)
    assert events["order"].user.tolist() == [0, 2]
    assert events["order_refused"].user.tolist() == [1, 3]


def test_an_order_is_remembered_and_counted():
    view = make_view(3)
    buy = mechanism(Buy, view)
    for hour, user, granted in ((9, [0, 1, 2], [True, True, False]), (12, [0], [True])):
        seat(view, hour=hour)
        rows = Records(len(user), user=user, merchant=1, product=4, quantity=2, time=view.sessions.time[user])
        post_outcome(view, "order", rows, granted)
        apply(view, buy.respond(view))
        slot = slots_of(view)
        if hour == 9:
            first = slot["last_order"][:, 0].tolist()
    assert slot["merchant"][:, 0].tolist() == [1, 1, -1]
    assert slot["orders"][:, 0].tolist() == [2, 1, 0]
    assert slot["last_order"][0, 0] == view.sessions.time[0] > first[0] > 0
    assert slot["last_order"][1, 0] == first[1] > 0
    assert view.state["product"]["sold"].tolist() == [0, 0, 0, 0, 6, 0]


def test_stacked_worlds_choose_like_lone_ones():
    stacked = make_view(200, seeds=(7, 8))
    n = 400
    show(stacked, np.repeat(np.arange(n), 3), (np.arange(n)[:, None] // 200 * 6 + [0, 2, 5]).ravel())
    both = choose(stacked, nothing=1.0, click_rates={}, click_rate=0.6)
    for place, seed in enumerate((7, 8)):
        lone = make_view(200, seeds=(seed,))
        everybody_sees(lone, [0, 2, 5])
        own = choose(lone, nothing=1.0, click_rates={}, click_rate=0.6)
        mine = both[200 * place : 200 * (place + 1)]
        assert np.where(mine >= 0, mine - 6 * place, -1).tolist() == own.tolist()
        assert (own >= 0).sum() > 50
