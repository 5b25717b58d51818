"""Stock sync: how many are oversold, what they see, and where the money goes."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contract import View
from sim.ledger.audit import audit
from sim.ledger.schema import ACCOUNTS, Records
from sim.operations.stock_sync import StockSync
from sim.people.buy import Buy
from sim.units import DAY, HOUR, MINUTE
from tests.theory.town import SURE, play
from tests.views import CHANNELS, apply, make_view, mechanism, show

NAMES = {account.code: name for name, account in ACCOUNTS.items()}


def stage(sync: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, StockSync]:
    view = make_view(20, columns=StockSync.columns, **overrides)
    made = mechanism(StockSync, view, **(sync or {}))
    return view, made


def orders(pieces: list[int], channel: str = "mini_program", merchant: int = 0) -> Records:
    n = len(pieces)
    return Records(
        n, user=np.arange(n), merchant=merchant, product=0, variant=0, channel=CHANNELS[channel], quantity=pieces,
        amount=1_000 * np.array(pieces), time=500, event=np.arange(n) + 1, cause=77,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the figures


def test_the_figure_is_what_the_store_had_and_deliveries_are_entered_in_both() -> None:
    view, sync = stage()
    figure, stock = view.state["variant"]["stock_synced"], view.state["variant"]["stock"]
    assert (figure == 0).all()
    stock[:], figure[:] = 7, 9
    rows = Records(1, variant=3, quantity=-5)
    apply(view, sync.settle(view, "restock", rows.with_(merchant=0), np.ones(1, np.bool_)))
    stock[3] += 5
    assert figure[:5].tolist() == [9, 9, 9, 14, 9]
    apply(view, sync.settle(view, "stock_sync", Records(1, merchant=0), np.ones(1, np.bool_)))
    assert figure.tolist() == [7, 7, 7, 12, 7, 7] + [9] * 6  # the other merchant is told by itself


@given(lag=st.integers(1, 3_000), ticks=st.sampled_from([HOUR, 2 * HOUR, 15 * MINUTE]))
@settings(max_examples=25)
def test_it_is_told_at_multiples_of_the_lag_at_most_once_in_a_tick(lag: int, ticks: int) -> None:
    view, sync = stage({"lag_minutes": lag})
    view.clock = type(view.clock)(0, 0, ticks, 0, 0, True)
    rows = sync.agenda(view, 5)["stock_sync"]
    time = rows.take(rows.merchant == 0).time
    assert np.unique(time // ticks).size == time.size

    assert (time % (lag * MINUTE) == 0).all()
    assert set((time // ticks).tolist()) == {k * lag * MINUTE // ticks for k in range(1, 5 * DAY // (lag * MINUTE) + 1)}


def test_without_a_lag_it_does_nothing_at_all() -> None:
    view, sync = stage({"lag_minutes": 0})
    assert (view.state["variant"]["stock_synced"] == -1).all()
    assert sync.agenda(view, 30)["stock_sync"].n == 0
    for kind in ("order", "restock"):
        fx = sync.settle(view, kind, orders([1, 2]), np.zeros(2, np.bool_))
        assert not (fx.events or fx.posts or fx.requests or fx.tallies)


@pytest.mark.parametrize(("channel", "stale"), [("mini_program", True), ("cart", True), ("store", False)])
def test_pages_of_the_mini_program_show_the_stale_figure(channel: str, stale: bool) -> None:
    view, _ = stage(quality=1.0, taste=1.0)
    view.state["variant"]["stock"][:2], view.state["variant"]["stock_synced"][:2] = [0, 3], [3, 0]
    show(view, np.arange(20), np.zeros(20, np.int64), CHANNELS[channel])
    view.scratch["outside"] = np.full(20, -1e6)
    fx = mechanism(Buy, view, click_rate=1 - 1e-12).choose(view)
    assert set(dict(fx.scratch)["variant"].tolist()) == ({0} if stale else {1})


# ---------------------------------------------------------------------------------------------------- too much sold


@given(left=st.integers(0, 8), n=st.integers(0, 20), figure=st.integers(0, 3), compensation=st.floats(0, 1))
@settings(max_examples=30)
def test_of_n_orders_for_s_pieces_the_others_are_oversold_and_get_everything_back(
    left: int, n: int, figure: int, compensation: float
) -> None:
    view, sync = stage({"compensation": compensation, "cancel_hours": 2})
    view.state["variant"]["stock_synced"][0] = figure
    rows = orders([1] * n)
    balance: Counter[str] = Counter()
    fx = sync.settle(view, "order", rows, np.arange(n) < left)  # first come, first served
    sold = Records.concat([r for kind, r in fx.events if kind == "oversold"])
    assert sold.n == (max(0, n - left) if figure else 0)
    assert sold.cause.tolist() == list(range(left + 1, n + 1))[: sold.n]
    (requests,) = [r for _, r in fx.requests] or [Records(0)]
    done = sync.settle(view, "oversell_refund", requests, np.ones(requests.n, np.bool_))
    assert (requests.time == 500 + 2 * HOUR).all()
    for _, moves in [*fx.posts, *done.posts]:
        for source, target, amount in zip(moves.source, moves.target, moves.amount, strict=True):
            balance[NAMES[int(source)]] -= int(amount)
            balance[NAMES[int(target)]] += int(amount)
    assert balance["escrow"] == 0
    assert balance["wallet"] == -balance["cash"] == sold.n * (1_000 * round(compensation * 10_000) // 10_000)


@pytest.mark.parametrize(
    ("channel", "quantity", "merchant", "oversold"),
    [("mini_program", 3, 0, 1), ("mini_program", 4, 0, 0), ("store", 1, 0, 0), ("cart", 1, 0, 1), ("cart", 1, 1, 0)],
)
def test_only_where_the_figure_says_that_there_are_enough(
    channel: str, quantity: int, merchant: int, oversold: int
) -> None:
    view = make_view(20, columns=StockSync.columns)
    sync = mechanism(StockSync, view, on=[True, False])
    view.state["variant"]["stock_synced"][0] = 3
    fx = sync.settle(view, "gift_order", orders([quantity], channel, merchant), np.zeros(1, np.bool_))
    assert sum(rows.n for _, rows in fx.events) == oversold


TOWN = """
title: A mini-program that does not know what is left
seed: 3
horizon: {{start: 2025-03-03, days: 1, tick: 5m}}
world: {{people: {{count: 60}}, graph: {{networkx: {{generator: empty_graph}}}}, groups: {{per_person: 0}}}}
platform: {{rules: {{}}, store_score: {{}}}}
people:
  browse: {{opens: 1}}
  buy: {{click_rate: {sure}, click_weight: 0, nothing: -50}}
merchants:
  tea_house:
    products: {{cake: {{category: tea, price: 90}}}}
    channels: {{mini_program: {{scan: 1, bounce_at_1s: 0}}}}
    operations:
      inventory: {{opening: {stock}, reorder_point: 0, reorder_quantity: 0, cover_days: 0}}
      after_sale: {{return_rate: 0}}
      {sync}
"""


@pytest.mark.slow
@pytest.mark.parametrize("stock", [4, 25, 60])
def test_in_a_day_without_sync_all_but_the_first_come_are_oversold(stock: int, tmp_path: Path) -> None:
    text = TOWN.format(sure=SURE, stock=stock, sync="stock_sync: {lag_minutes: 2880, compensation: 0.3}")
    ledger = play(text, tmp_path, activity=20.0)
    found = dict(ledger.rows("select kind, count(*) from events group by kind"))
    assert found["order"] + found.get("order_refused", 0) == 60
    assert found["order"] == stock
    assert found.get("oversold", 0) == found.get("oversold_cancelled", 0) == 60 - stock
    assert audit(ledger).ok
    (cash,) = ledger.rows("select coalesce(sum(amount), 0) from postings where source = 'cash' and target = 'wallet'")
    assert cash[0] == (60 - stock) * 2_700


@pytest.mark.slow
def test_without_a_lag_the_ledger_is_that_of_a_shop_without_it(tmp_path: Path) -> None:
    totals = []
    for sync in ("stock_sync: {lag_minutes: 0}", ""):
        folder = tmp_path / str(len(totals))
        folder.mkdir()
        ledger = play(TOWN.format(sure=SURE, stock=9, sync=sync), folder, activity=20.0)
        totals.append(ledger.manifest["digest"]["total"])
    assert totals[0] == totals[1]
