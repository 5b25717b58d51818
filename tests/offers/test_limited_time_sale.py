from dataclasses import replace
from math import exp, floor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config.load import load
from sim.contract import View
from sim.engine.apply import appraise
from sim.ledger.audit import audit
from sim.offers.limited_time_sale import LimitedTimeSale
from sim.run import run
from sim.units import DAY, HOUR, Array
from tests.views import CHANNELS, apply, make_view, mechanism, seat, show, slots_of

SIGMAS = 4.0
SOON = {"day": 5, "hours": 48}  # the sale of most tests
NOON = 12  # the hour at which sessions of `make_view` begin


def stage(users: int = 200, **overrides: Any) -> View:
    view = make_view(users, **{"columns": LimitedTimeSale.columns, "price": 10_000, **overrides})
    view.channels = {**CHANNELS, "limited_time_sale": len(CHANNELS)}
    return view


def look(view: View, product: int = 0) -> None:
    """Everybody sees a product."""
    users = len(view.sessions)
    show(view, np.arange(users), np.full(users, product))


def near(got: float, share: float, n: int) -> bool:
    return abs(got - share) <= SIGMAS * np.sqrt(share * (1 - share) / n)


# ------------------------------------------------------------------------------------------------------ in the window


@pytest.mark.parametrize(("day", "pays"), [(4, 10_000), (5, 8_000), (6, 8_000), (7, 10_000), (19, 8_000), (26, 10_000)])
def test_it_is_cheaper_in_its_windows_alone(day: int, pays: int) -> None:
    view = stage(5, day=day)
    look(view)
    sale = mechanism(LimitedTimeSale, view, **SOON, times=3, every_days=7)
    appraise(view.exposures, [sale.appraise(view)], view.shared("merchant", "stacking"))
    assert (view.exposures.price == pays).all()


def test_the_window_counts_to_the_second() -> None:
    view = stage(400, day=5)
    look(view)
    sale = mechanism(LimitedTimeSale, view, day=0, hour=NOON, hours=5 * 24, announced_days=0)
    view.clock = replace(view.clock, start=view.clock.start - 6 * HOUR)
    view.sessions.time[:200] = 5 * DAY + NOON * HOUR - 1
    view.sessions.time[200:] = 5 * DAY + NOON * HOUR
    appraise(view.exposures, [sale.appraise(view)], view.shared("merchant", "stacking"))
    assert (view.exposures.price[:200] == 8_000).all() and (view.exposures.price[200:] == 10_000).all()


def test_only_what_is_named_is_on_sale() -> None:
    view = stage(2, day=5)
    show(view, np.array([0, 0, 1]), np.array([0, 1, 4]))
    sale = mechanism(LimitedTimeSale, view, **SOON, products=("product_1", "product_4"), on=[True, False])
    appraise(view.exposures, [sale.appraise(view)], view.shared("merchant", "stacking"))
    assert view.exposures.price.tolist() == [10_000, 8_000, 10_000]


def test_urgency_grows_evenly_to_the_end() -> None:
    view = stage(50, day=6)
    look(view)
    (delta,) = mechanism(LimitedTimeSale, view, **SOON, urgency=0.4).appraise(view).appeals
    assert delta == pytest.approx(0.4 * (view.sessions.time - 5 * DAY) / (48 * HOUR))


@pytest.mark.parametrize(("cycle", "discount"), [(25.0, 0.2), (40.0, 0.2), (40.0, 0.45), (7.0, 0.1), (90.0, 0.2)])
def test_so_many_stock_up_so_much(cycle: float, discount: float) -> None:
    users = 8_000
    view = stage(users, day=5, cycle_days=cycle)
    look(view)
    sale = mechanism(LimitedTimeSale, view, **SOON, discount=discount, stocking_up=2.0, ahead_days=60, most_pieces=4)
    appraise(view.exposures, [sale.appraise(view)], view.shared("merchant", "stacking"))
    pieces = min(1 + floor(60 / cycle), 4)
    several = view.exposures.quantity > 1
    assert set(view.exposures.quantity[several]) <= {pieces}
    assert near(several.mean(), min(2.0 * discount, 1.0) if pieces > 1 else 0.0, users)


def test_nobody_stocks_up_on_what_lasts_or_for_a_gift() -> None:
    lasting, giving = stage(300, day=5, cycle_days=0.0), stage(300, day=5)
    giving.scratch["gift_peer"] = np.zeros(300, np.int64)
    for view in (lasting, giving):
        look(view)
        fx = mechanism(LimitedTimeSale, view, **SOON, stocking_up=5.0).appraise(view)
        appraise(view.exposures, [fx], view.shared("merchant", "stacking"))
        assert set(view.exposures.quantity) == {1} and set(view.exposures.price) == {8_000}


@given(st.floats(0, 0.9), st.floats(0, 0.9))
def test_a_deeper_sale_only_wins_stockers_and_waiters(one: float, other: float) -> None:
    low, high = sorted((one, other))
    for day in (3, 5):
        view = stage(60, day=day, cycle_days=20.0)
        look(view)
        few, many = (mechanism(LimitedTimeSale, view, **SOON, discount=d).appraise(view) for d in (low, high))
        for part in ("bundles", "put_offs"):
            assert set(_rows(getattr(few, part))) <= set(_rows(getattr(many, part)))


def _rows(entries: Any) -> list[int]:
    return [at for entry in entries for at in (entry[0] if isinstance(entry, tuple) else entry).tolist()]


@pytest.mark.parametrize("reach", [0.02, 0.3])
def test_strangers_come_across_it_by_taste(reach: float) -> None:
    users = 20_000
    taste = np.tile([0.5, 0.25, 0.25], (users, 1))
    view = stage(users, day=5, taste=taste)
    shown = mechanism(LimitedTimeSale, view, **SOON, reach=reach).expose(view).exposures
    found = {0: 0, 1: 0}
    for part in shown:
        for merchant in (0, 1):
            of = view.world.product["merchant"][part["product"]] == merchant
            found[merchant] += np.unique(part["session"][of]).size
    assert near(found[0] / users, min(reach * 1.5, 1.0), users)
    assert near(found[1] / users, reach * 0.75, users)


# ---------------------------------------------------------------------------------------------------- before the window


@pytest.mark.parametrize(("day", "notice"), [(4, 3), (2, 3), (1, 3), (4, 0)])
def test_the_nearer_it_is_the_more_people_wait(day: int, notice: int) -> None:
    users, aware, patience, discount = 20_000, 0.7, 20.0, 0.2
    view = stage(users, merchants=1, day=day)
    view.sessions.time[:] = day * DAY + NOON * HOUR
    look(view)
    sale = mechanism(
        LimitedTimeSale, view, **SOON, announced_days=notice, aware=aware, patience_days=patience, discount=discount
    )
    waiting = len(_rows(sale.appraise(view).put_offs))
    ahead = 5 - day - NOON / 24
    assert near(waiting / users, aware * exp(-ahead / (patience * discount)) if ahead <= notice else 0.0, users)


def test_who_waits_keeps_it_in_mind_and_comes_back_once() -> None:
    users = 3_000
    view = stage(users, merchants=1, day=4)
    look(view)
    sale = mechanism(LimitedTimeSale, view, **SOON, aware=1.0, patience_days=1_000, remembers=0.6, reach=0.0)
    waits = np.array(_rows(sale.appraise(view).put_offs))
    view.put_off = waits[::2]
    fx = sale.checkout(view)
    ((kind, rows),) = fx.events
    assert kind == "put_off" and rows.user.tolist() == waits[::2].tolist() and set(rows.detail) == {5 * DAY}
    apply(view, fx)
    awaited = slots_of(view)["sale_awaited"][:, 0]
    assert set(awaited[waits[::2]]) == {5 * DAY} and not np.delete(awaited, waits[::2]).any()
    assert not _seat(view, 4).exposures or not sale.expose(view).exposures  # not yet
    back = sale.expose(_seat(view, 5))
    came = {user for part in back.exposures for user in part["session"].tolist()}
    assert came <= set(waits[::2].tolist()) and near(len(came) / waits[::2].size, 0.6, waits[::2].size)
    apply(view, back)
    assert not slots_of(view)["sale_awaited"].any()
    assert not sale.expose(_seat(view, 6)).exposures


def _seat(view: View, day: int) -> View:
    return seat(view, day=day)


def test_who_missed_the_sale_comes_back_for_no_other() -> None:
    view = stage(50, merchants=1, day=12, sale_awaited=5 * DAY)
    sale = mechanism(LimitedTimeSale, view, **SOON, times=2, remembers=1.0, reach=0.0)
    fx = sale.expose(view)
    apply(view, fx)
    assert not [part for part in fx.exposures if part["session"].size] and not slots_of(view)["sale_awaited"].any()


def test_without_a_saving_nobody_waits_or_stocks_up() -> None:
    for day in (4, 5):
        view = stage(300, day=day)
        look(view)
        fx = mechanism(LimitedTimeSale, view, **SOON, discount=0.0, aware=1.0).appraise(view)
        assert not _rows(fx.put_offs) and not _rows(fx.bundles)


def test_stacked_worlds_are_on_sale_like_lone_ones() -> None:
    def waits(*seeds: int) -> tuple[list[int], list[int]]:
        view = stage(300, merchants=1, seeds=seeds, day=4)
        look(view)
        own: Array = np.repeat(np.arange(len(seeds)) * 3, 300)  # each world's own product
        show(view, np.arange(300 * len(seeds)), own)
        put_off = _rows(mechanism(LimitedTimeSale, view, **SOON).appraise(view).put_offs)
        inside = stage(300, merchants=1, seeds=seeds, day=5)
        (zone,) = mechanism(LimitedTimeSale, inside, **SOON, reach=0.3).expose(inside).exposures
        assert (zone["product"] // 3 == zone["session"] // 300).all()
        return put_off, sorted(set(zone["session"].tolist()))

    both, one, two = waits(7, 8), waits(7), waits(8)
    for k in (0, 1):
        assert both[k] == one[k] + [300 + session for session in two[k]] and one[k] != two[k]


# ------------------------------------------------------------------------------------------------------- a whole run

TEXT = """
title: Who waits buys in the sale
horizon: {start: 2025-03-03, days: 8, tick: 6h}
world: {people: {count: 400}}
platform: {rules: {}}
people: {browse: {opens: 1.0}, buy: {nothing: -4, click_rate: 0.9}, repurchase: {}}
merchants:
  tea:
    products: {cake: {category: tea, price: 90, cost: 30, cycle_days: 20}}
    channels: {store: {discovery: 1}}
    offers:
      limited_time_sale: {start: 2025-03-07, hours: 96, announced_days: 2, aware: 1, patience_days: 1000, discount: 0.5,
        remembers: 1, stocking_up: 0, reach: 0, resolve: 20}
"""


@pytest.mark.slow
def test_what_is_put_off_is_not_ordered_before_and_is_bought_in_the_sale(tmp_path: Path) -> None:
    (tmp_path / "sale.yaml").write_text(TEXT, "utf-8")
    (ledger,) = run(load(tmp_path / "sale.yaml"), out=[tmp_path / "run"])
    assert audit(ledger).breaks == ()
    orders = ledger.rows("""SELECT "user", time, amount, event, cause FROM events WHERE kind = 'order'""")
    waited = ledger.rows("""SELECT "user", time FROM events WHERE kind = 'put_off'""")
    opened = ledger.rows("SELECT time, detail FROM events WHERE kind = 'sale_opened'")
    assert opened == [(4 * DAY, 8 * DAY)]
    assert len(waited) > 50 and all(2 * DAY <= time < 4 * DAY for _, time in waited)
    assert {amount for _, time, amount, *_ in orders if time >= 4 * DAY} == {4_500}
    # e^(-d / 500) of people wait: of those who chose it in the two days before, next to nobody paid
    hasty = [user for user, time, *_ in orders if 2 * DAY <= time < 4 * DAY]
    assert len(hasty) <= 5 + 0.01 * len(waited)
    came = {user for user, time, *_ in orders if time >= 4 * DAY}
    assert len({user for user, _ in waited} & came) >= 0.9 * len({user for user, _ in waited})
