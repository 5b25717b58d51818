"""Full reductions; how steps and growing orders are granted is in `tests/engine/test_apply.py`."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.contract import View
from sim.engine.apply import appraise
from sim.offers.full_reduction import FullReduction, FullReductionParams
from sim.units import DAY
from tests.views import make_view, mechanism, show


def till(view: View, **params: Any) -> tuple[list[int], list[int]]:
    """Pieces and fen of orders of product 0 by everybody."""
    users = len(view.sessions)
    shown = show(view, np.arange(users), np.zeros(users, np.int64))
    appraise(shown, [mechanism(FullReduction, view, **params).appraise(view)], view.shared("merchant", "stacking"))
    return shown.quantity.tolist(), shown.amount.tolist()


@pytest.mark.parametrize(("price", "pays"), [(19_999, 19_999), (20_000, 17_000), (39_999, 36_999), (40_000, 32_000)])
def test_the_highest_step_that_is_reached_counts(price: int, pays: int) -> None:
    assert till(make_view(2, price=price), top_up=0) == ([1, 1], [pays, pays])


@pytest.mark.parametrize("short", [0.1, 0.25, 0.4])
def test_as_many_close_a_gap_as_the_formula_says(short: float) -> None:
    users, top_up, near = 20_000, 0.6, 0.5
    pieces, fen = till(make_view(users, price=round(20_000 * (1 - short))), top_up=top_up, near=near)
    grown = np.array(pieces) == 2
    share = top_up * (1 - short / near)
    assert abs(grown.mean() - share) < 4 * np.sqrt(share * (1 - share) / users)
    assert set(pieces) == {1, 2}
    assert (np.array(fen)[grown] == 2 * round(20_000 * (1 - short)) - 3_000).all()


def test_a_gap_that_is_too_wide_a_thing_that_lasts_and_a_gift_do_not_grow() -> None:
    keen = {"top_up": 1.0, "near": 0.5, "steps": ({"above": 200, "off": 30},)}
    users = 300
    assert set(till(make_view(users, price=9_900), **keen)[0]) == {1}
    assert set(till(make_view(users, price=19_000, cycle_days=0.0), **keen)[0]) == {1}
    view = make_view(users, price=19_000)
    view.scratch["gift_peer"] = np.where(np.arange(users) % 2 == 0, 5, -1)
    pieces = np.array(till(view, **keen)[0])
    assert set(pieces[::2]) == {1} and 2 in pieces[1::2]


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1_000, 39_000))
def test_the_keener_people_are_the_more_they_buy(low: float, more: float, price: int) -> None:
    view = make_view(40, price=price)
    few, many = (np.array(till(view, top_up=p, near=1.0)[0]) for p in (low, min(low + more, 1.0)))
    assert (few <= many).all()


def test_it_stands_in_its_window_alone() -> None:
    for day, pays in ((1, 20_000), (2, 17_000), (4, 20_000)):
        assert till(make_view(1, price=20_000, day=day), when="dates", day=2, hours=48)[1] == [pays]
    view = make_view(1, price=20_000, day=2)
    assert till(view, when="campaign")[1] == [20_000]
    view.state["merchant"] |= {name: np.full(2, at * DAY) for name, at in (("campaign_start", 2), ("campaign_end", 3))}
    assert till(view, when="campaign")[1] == [17_000]


def test_stacked_worlds_grow_orders_like_lone_ones() -> None:
    both = till(make_view(100, seeds=(7, 8), price=15_000), top_up=0.9)[0]
    lone = [till(make_view(100, seeds=(seed,), price=15_000), top_up=0.9)[0] for seed in (7, 8)]
    assert both == lone[0] + lone[1] and lone[0] != lone[1]


@pytest.mark.parametrize(
    "steps", [[{"above": 200, "off": 30}, {"above": 200, "off": 50}],
              [{"above": 200, "off": 30}, {"above": 300, "off": 20}], [{"above": 20, "off": 30}]],
)  # fmt: skip
def test_a_ladder_rises(steps: list[dict[str, float]]) -> None:
    with pytest.raises(ValidationError):
        FullReductionParams(steps=steps)


def test_merchants_may_have_ladders_of_different_lengths() -> None:
    view = make_view(1, price=50_000)
    ladder = FullReduction((FullReductionParams(steps=()), FullReductionParams()), np.array([True, True]), view.world)
    shown = show(view, np.array([0, 0]), np.array([0, 3]))
    appraise(shown, [ladder.appraise(view)], view.shared("merchant", "stacking"))
    assert shown.amount.tolist() == [50_000, 42_000]
