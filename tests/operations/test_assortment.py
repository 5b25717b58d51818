"""The assortment: what the store sells at what price, and what the mini-program has heard of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import View
from sim.ledger.audit import audit
from sim.ledger.schema import Records
from sim.operations.assortment import Assortment
from sim.operations.stock_sync import StockSync
from sim.units import DAY
from sim.world.doors import LIVE, UNTOLD, WITHDRAWN
from tests.theory.town import SURE, play
from tests.views import CHANNELS, apply, make_view, mechanism, show

COLUMNS = (*Assortment.columns, *StockSync.columns)
CHANGE = st.fixed_dictionaries({"day": st.integers(0, 9), "sold": st.booleans(), "off": st.floats(0, 0.9)})


def stage(*changes: dict[str, Any], seeds: tuple[int, ...] = (7,), **overrides: Any) -> tuple[View, Assortment]:
    view = make_view(4, seeds=seeds, columns=COLUMNS, **overrides)
    made = mechanism(Assortment, view, on=[True, False] * len(seeds), changes=changes)
    for (table, name), values in made.initial().items():
        view.state[table][name][:] = values
    return view, made


def live_through(view: View, made: Assortment, days: int) -> list[list[int]]:
    """The terms at the end of each day."""
    rows, out = made.agenda(view, days)["goods_changed"], [view.state["product"]["terms"].tolist()]
    for day in range(1, days):
        now = rows.take(rows.time == day * DAY)
        apply(view, made.settle(view, "goods_changed", now, np.ones(now.n, np.bool_)))
        out.append(view.state["product"]["terms"].tolist())
    return out


@given(st.lists(CHANGE, max_size=6))
def test_on_each_day_the_last_change_so_far_holds(changes: list[dict[str, Any]]) -> None:
    view, made = stage(*changes)
    terms = live_through(view, made, 10)
    for day in range(10):
        past = [(change["day"], turn, change) for turn, change in enumerate(changes) if change["day"] <= day]
        last = max(past, key=lambda each: each[:2])[2] if past else {"sold": True, "off": 0.0}
        want = round(last["off"] * 10_000) if last["sold"] else WITHDRAWN
        assert terms[day] == [want] * 3 + [0] * 3  # the other merchant changes nothing


def test_goods_are_changed_by_name_and_told_as_they_are() -> None:
    view, made = stage({"day": 3, "products": ["b"], "off": 0.25}, {"day": 3, "products": ["a"], "sold": False})
    names = list(view.world.product_names)
    view.world.product_names[:] = ["a", "b", *names[2:]]  # type: ignore[index]
    made = mechanism(Assortment, view, on=[True, False], changes=made.p[0].changes)
    rows = made.agenda(view, 10)["goods_changed"]
    assert (rows.product.tolist(), rows.detail.tolist()) == ([0, 1], [WITHDRAWN, 2_500])
    events = dict(made.settle(view, "goods_changed", rows, np.ones(2, np.bool_)).events)
    assert events["goods_withdrawn"].product.tolist() == [0]
    price = int(view.world.product["price"][1])
    assert events["goods_offered"].amount.tolist() == [price - price * 2_500 // 10_000]


@pytest.mark.parametrize(
    ("told", "mini"), [(LIVE, 2_000), (UNTOLD, 1_000), (0, 0), (3_000, 3_000), (WITHDRAWN, WITHDRAWN)]
)
def test_a_page_shows_what_its_tool_has_heard(told: int, mini: int) -> None:
    view, made = stage({"day": 0, "off": 0.1}, {"day": 1, "off": 0.2})
    live_through(view, made, 2)
    view.state["product"]["terms_synced"][:] = told
    show(view, np.arange(4), np.zeros(4, int), np.array([CHANNELS[name] for name in ("store", "mini_program") * 2]))
    price = int(view.world.product["price"][0])
    fx = made.appraise(view)
    off = np.zeros(4, np.int64)
    for at, less, layer in fx.discounts:
        assert layer == "price"
        off[at] = less
    want = [price * max(terms, 0) // 10_000 for terms in (2_000, mini)] * 2
    assert off.tolist() == [price - (price - less) for less in want]
    gone = sum(fx.appeals, np.zeros(4)) < -1e6
    assert gone.tolist() == [False, mini == WITHDRAWN] * 2


def test_the_mini_program_is_told_with_the_stock() -> None:
    view, made = stage({"day": 0, "off": 0.1}, {"day": 1, "off": 0.2})
    sync = mechanism(StockSync, view, lag_minutes=60)
    for (table, name), values in sync.initial().items():
        view.state[table][name][:] = values
    told = view.state["product"]["terms_synced"]
    assert (told == UNTOLD).all()
    for terms in (1_000, 2_000):
        apply(view, sync.settle(view, "stock_sync", Records(1, merchant=0), np.ones(1, np.bool_)))
        assert told.tolist() == [terms] * 3 + [UNTOLD] * 3
        live_through(view, made, 2)


def test_without_a_lag_it_is_never_apart() -> None:
    view, _ = stage()
    values = mechanism(StockSync, view, lag_minutes=0).initial()[("product", "terms_synced")]
    assert (values == LIVE).all()


def test_worlds_side_by_side_change_as_they_do_alone() -> None:
    lone, alone = stage({"day": 2, "off": 0.3}, seeds=(8,))
    both, stacked = stage({"day": 2, "off": 0.3}, seeds=(7, 8))
    one, two = (made.agenda(view, 5)["goods_changed"] for view, made in ((lone, alone), (both, stacked)))
    mine = two.product >= lone.world.products
    assert two.event[mine].tolist() == one.event.tolist()
    assert (two.product[mine] - lone.world.products).tolist() == one.product.tolist()


# ------------------------------------------------------------------------------------------------- a whole run

TOWN = f"""
title: A mini-program that has not heard of the new price
seed: 3
horizon: {{start: 2025-03-03, days: 8, tick: 1d}}
world: {{people: {{count: 40}}, graph: {{networkx: {{generator: empty_graph}}}}, groups: {{per_person: 0}}}}
platform: {{rules: {{}}}}
people:
  browse: {{opens: 1}}
  buy: {{click_rate: {SURE}, click_weight: 0, nothing: -50}}
merchants:
  tea_house:
    products: {{cake: {{category: tea, price: 90}}}}
    channels: {{mini_program: {{scan: 1, bounce_at_1s: 0, adoption: 0}}}}
    operations:
      after_sale: {{return_rate: 0}}
      stock_sync: {{lag_minutes: 2880}}
      assortment: {{changes: [CHANGES]}}
"""


def prices(text: str, folder: Path) -> tuple[dict[int, set[int]], dict[int, set[int]], dict[int, int]]:
    """What orders of each day are paid, how much less than in the store, and how many there are; by day."""
    ledger = play(text, folder, activity=20.0)
    assert audit(ledger).ok
    paid: dict[int, set[int]] = {}
    less: dict[int, set[int]] = {}
    count: dict[int, int] = {}
    for kind, time, amount, detail in ledger.rows("select kind, time, amount, detail from events order by time"):
        if kind == "order":
            paid.setdefault(time // DAY, set()).add(amount)
            count[time // DAY] = count.get(time // DAY, 0) + 1
        elif kind == "old_terms":
            less.setdefault(time // DAY, set()).add(detail)
    return paid, less, count


@pytest.mark.slow
def test_until_it_is_told_the_mini_program_sells_at_the_old_price(tmp_path: Path) -> None:
    """Half price from day 2: shown from day 3 in the store; the sync of day 4 is seen on day 5."""
    paid, less, count = prices(TOWN.replace("CHANGES", "{day: 2, off: 0.5}"), tmp_path)
    assert paid == {day: {9_000 if day < 5 else 4_500} for day in range(8)}
    assert less == {3: {-4_500}, 4: {-4_500}}
    assert set(count.values()) == {40}


@pytest.mark.slow
def test_until_it_is_told_the_mini_program_sells_what_is_withdrawn_and_not_what_is_new(tmp_path: Path) -> None:
    changes = "{day: 0, sold: false}, {day: 1}, {day: 3, sold: false}"
    paid, less, count = prices(TOWN.replace("CHANGES", changes), tmp_path)
    assert count == dict.fromkeys((3, 4), 40)  # taken up on day 1, told on day 2; withdrawn on day 3, told on day 4
    assert less == {4: {0}}
    assert paid == {3: {9_000}, 4: {9_000}}
