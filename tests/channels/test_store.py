from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.channels.store import STEP_COST, USUAL_SCORE, USUAL_STEPS, Store
from sim.contract import Effects, View
from sim.elementary import log
from sim.units import Array
from sim.world.state import DROPPED
from tests.views import make_view, mechanism, show

HERDING, PLACES, WINDOW = 0.25, 4, 4  # the defaults


def stage(users: int = 5_000, store: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, Store]:
    view = make_view(users, columns=Store.columns, **overrides)
    return view, mechanism(Store, view, **(store or {}))


def shown(fx: Effects, salience: float | None = None) -> tuple[Array, Array]:
    """All (session, product) proposed, with this salience if one is asked for."""
    parts = [e for e in fx.exposures if salience is None or e["salience"] == salience]
    none = [np.zeros(0, np.int64)]
    return (
        np.concatenate([e["session"] for e in parts] or none),
        np.concatenate([e["product"] for e in parts] or none),
    )


def pairs(fx: Effects) -> list[tuple[int, int]]:
    session, product = shown(fx)
    return sorted(zip(session.tolist(), product.tolist(), strict=True))


def test_places_go_to_products_by_taste_weight_sales_and_score() -> None:
    users, weight, sold = 20_000, np.array([1.0, 2.0, 4.0, 1.0, 1.0, 1.0]), np.array([9, 0, 0, 0, 99, 0])
    view, store = stage(users, {"discovery": 0.7}, weight=weight, sold=sold, score=4.0)
    worth = weight * (1 + HERDING * log(1.0 + sold))
    share = worth / worth.reshape(2, 3).sum(axis=1).repeat(3) / 3 * 0.7 * (4.0 / 5.0) ** 2
    count = np.bincount(shown(store.expose(view))[1], minlength=6)
    places = users * PLACES
    assert (np.abs(count - places * share) < 4 * np.sqrt(places * share * (1 - share))).all()


def test_racing_in_blocks_gives_the_same_shares() -> None:
    users, per_shop = 12_000, 150  # 300 products in 3 blocks of 128; two of them hold goods of both shops
    weight = 1.0 + np.arange(2 * per_shop) % 7
    view, store = stage(users, {"discovery": 1.0}, products=per_shop, weight=weight, score=5.0)
    session, product = shown(store.expose(view))
    expected = users * PLACES / 3 * weight / weight.reshape(2, per_shop).sum(axis=1).repeat(per_shop)
    chi2 = ((np.bincount(product, minlength=2 * per_shop) - expected) ** 2 / expected).sum()
    assert abs(chi2 - 300) < 4 * np.sqrt(2 * 300)  # chi-square: mean = its degrees of freedom, variance = twice that


@given(product=st.integers(0, 5), factor=st.floats(1.0, 20.0))
@settings(max_examples=15)
def test_a_product_that_is_met_more_often_only_gains_places(product: int, factor: float) -> None:
    plain, more = np.ones(6), np.ones(6)
    more[product] *= factor
    before, after = (pairs(store.expose(view)) for view, store in (stage(400, weight=w) for w in (plain, more)))
    lost, gained = set(before) - set(after), set(after) - set(before)
    assert all(p == product for _, p in gained)
    assert all(p != product for _, p in lost)


def test_a_better_score_only_adds_to_what_is_shown() -> None:
    reached: list[set[tuple[int, int]]] = []
    for score in (0.5, 2.0, 4.5, 5.0):
        view, store = stage(2_000, score=score)
        reached.append(set(pairs(store.expose(view))))
    assert all(low < high for low, high in zip(reached, reached[1:], strict=False))


def test_a_shop_that_does_not_want_to_be_found_is_not_shown() -> None:
    view, store = stage(500, {"discovery": 0.0})
    assert pairs(store.expose(view)) == []


def test_a_closed_shop_is_neither_shown_nor_appraised() -> None:
    view = make_view(2_000, columns=Store.columns)
    store = mechanism(Store, view, on=[True, False], path_steps=9)
    assert set(shown(store.expose(view))[1].tolist()) == {0, 1, 2}
    show(view, np.arange(6), np.arange(6))
    delta = store.appraise(view).appeals[0]
    assert (delta[:3] < 0).all() and (delta[3:] == 0).all()


def test_people_without_taste_for_a_category_do_not_see_it() -> None:
    taste = np.array([0.0, 1.0, 0.0])
    view, store = stage(500, taste=taste)
    assert set(shown(store.expose(view))[1].tolist()) == {3, 4, 5}


def test_past_customers_return_in_proportion_to_loyalty() -> None:
    users = 20_000
    for loyalty in (0.0, 0.5, 1.0):
        view, store = stage(users, {"return_visit": 0.1, "discovery": 0.0}, orders=1, loyalty=loyalty, merchants=1)
        session, product = shown(store.expose(view))
        visitors, p = np.unique(session).size, 0.2 * loyalty
        assert abs(visitors - users * p) <= 4 * np.sqrt(users * p * (1 - p))
        assert session.size == visitors * 3


def test_visitors_see_the_best_sellers_of_that_shop_only() -> None:
    sold = np.array([1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0])
    view, store = stage(3_000, {"return_visit": 0.5, "discovery": 0.0}, products=6, known=1, orders=1, sold=sold)
    session, product = shown(store.expose(view))
    assert session.size > 0
    assert np.unique(product).tolist() == [2, 3, 4, 5]
    assert (np.bincount(session)[np.unique(session)] == WINDOW).all()


@pytest.mark.parametrize("overrides", [{"flags": DROPPED, "orders": 3}, {"orders": 0}])
def test_only_living_customers_return(overrides: dict[str, int]) -> None:
    view, store = stage(2_000, {"return_visit": 1.0, "discovery": 0.0}, **overrides)
    assert pairs(store.expose(view)) == []


@pytest.mark.parametrize("overrides", [{"planned": False}, {"running": False, "planned": False}])
def test_who_was_only_woken_sees_nothing(overrides: dict[str, bool]) -> None:
    view, store = stage(500, {"return_visit": 1.0, "discovery": 1.0}, orders=1, **overrides)
    assert pairs(store.expose(view)) == []


@given(score=st.floats(0, 5), steps=st.integers(1, 30), trust=st.floats(0, 5), cost=st.floats(0, 2))
def test_score_and_path_are_worth_what_the_page_says(score: float, steps: int, trust: float, cost: float) -> None:
    view, store = stage(6, {"path_steps": steps, "trust": trust, "step_cost": cost}, score=score)
    show(view, np.arange(6), np.arange(6), np.arange(6))
    delta = store.appraise(view).appeals[0]
    assert delta == pytest.approx(trust * (score - USUAL_SCORE) - cost * (steps - USUAL_STEPS))
    assert view.shared("merchant", "path_steps").tolist() == [steps, steps]


def test_an_ordinary_shop_adds_nothing() -> None:
    view, store = stage(6)
    show(view, np.arange(6), np.arange(6))
    assert not store.appraise(view).appeals[0].any()
    assert view.shared("merchant", "step_cost").tolist() == [STEP_COST] * 2


def test_stacked_worlds_show_what_they_show_alone() -> None:
    seen = []
    for seeds in ((3, 8), (3,), (8,)):
        view, store = stage(800, seeds=seeds, orders=1)
        seen.append(pairs(store.expose(view)))
    alone = seen[1] + [(session + 800, product + 6) for session, product in seen[2]]
    assert seen[0] == alone and len(alone) > 500
