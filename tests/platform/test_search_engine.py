import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.platform.search_engine import SearchEngine
from tests.views import apply, make_view, mechanism, seat


def engine(users: int = 10, products: int = 6, seeds: tuple[int, ...] = (7,), merchants: int = 2, **params):  # type: ignore[no-untyped-def]
    view = make_view(users=users, merchants=merchants, products=products, seeds=seeds, columns=SearchEngine.columns)
    return view, mechanism(SearchEngine, view, **params)


def ranks(view) -> np.ndarray:  # type: ignore[no-untyped-def]
    return view.state["product"]["search_rank"]


def found(view, made, category) -> dict:  # type: ignore[no-untyped-def]
    view.scratch["search"] = np.broadcast_to(category, (len(view.sessions),))
    shown = made.expose(view).exposures
    assert len(shown) == 1
    return shown[0]


def test_results_are_examined_by_position() -> None:
    """P(examine rank r) = r^-eta, independently of each other (position-based model)."""
    n = 20_000
    view, made = engine(users=n, products=6, position_bias=0.8, results=5)
    shown = found(view, made, 0)
    rank = ranks(view)[shown["product"]]
    assert rank.max() == 4  # the sixth is on the next page
    p = np.arange(1, 6) ** -0.8
    seen = np.zeros((n, 5))
    seen[shown["session"], rank] = 1
    assert (np.abs(seen.mean(axis=0) - p) <= 4 * np.sqrt(p * (1 - p) / n)).all()
    assert p[0] == seen[:, 0].mean()  # the first result is always seen
    both = (seen[:, 1] * seen[:, 2]).mean()
    assert abs(both - p[1] * p[2]) < 4 * np.sqrt(p[1] * p[2] / n)


def test_value_is_match_times_score_times_sales() -> None:
    view = make_view(users=2, products=3, columns=SearchEngine.columns)
    view.world.product["category"][:] = 0
    made = mechanism(SearchEngine, view, match_low=1.0, score_exponent=2.0, sales_exponent=0.5, half_life_days=1.0)
    view.state["merchant"]["score"][:] = [5.0, 2.5]
    view.state["product"]["sold"][:] = [0, 30, 6, 0, 48, 270]
    apply(view, made.close(view))
    recent = view.state["product"]["sold"] / 2  # half is forgotten in the first night
    value = (np.repeat([5.0, 2.5], 3) / 5) ** 2 * (1 + recent) ** 0.5
    assert np.argsort(ranks(view)).tolist() == np.argsort(-value, kind="stable").tolist()
    assert np.argsort(ranks(view)).tolist() == [1, 5, 2, 4, 0, 3]  # 4, 2.9, 2, 1.25, 1, 0.25


def test_old_sales_are_forgotten_with_their_half_life() -> None:
    view, made = engine(half_life_days=7.0)
    view.state["product"]["sold"][0] = 100
    remembered = []
    for _ in range(15):
        apply(view, made.close(view))
        state = view.state["product"]
        remembered.append(state["sold"][0] - state["sold_past"][0])
    assert remembered[0] == pytest.approx(100 * 0.5 ** (1 / 7))
    assert remembered[7] / remembered[0] == pytest.approx(0.5)
    assert remembered[14] / remembered[0] == pytest.approx(0.25)


@given(st.lists(st.integers(0, 50), min_size=24, max_size=24), st.lists(st.floats(0, 5), min_size=4, max_size=4))
def test_ranks_are_a_permutation_of_each_category_of_each_world(sold: list[int], score: list[float]) -> None:
    view, made = engine(users=2, seeds=(7, 8))
    view.state["product"]["sold"][:] = sold
    view.state["merchant"]["score"][:] = score
    apply(view, made.close(view))
    for world in range(2):
        for category in range(2):
            mine = ranks(view)[world * 12 + category * 6 : world * 12 + category * 6 + 6]
            assert sorted(mine.tolist()) == list(range(6))


@given(st.integers(0, 5), st.integers(0, 100))
def test_selling_more_never_costs_a_rank(product: int, more: int) -> None:
    view, made = engine(users=2)
    view.state["product"]["sold"][:6] = [3, 1, 4, 1, 5, 9]
    apply(view, made.close(view))
    before = ranks(view)[product]
    view, made = engine(users=2)
    view.state["product"]["sold"][:6] = [3, 1, 4, 1, 5, 9]
    view.state["product"]["sold"][product] += more
    apply(view, made.close(view))
    assert ranks(view)[product] <= before


def test_only_planned_searchers_see_results_of_their_category_and_world() -> None:
    view, made = engine(users=4, seeds=(7, 8), position_bias=0.0)
    seat(view, planned=np.array([1, 1, 1, 0, 1, 1, 1, 1], bool))
    shown = found(view, made, np.array([0, 1, -1, 0, 1, -1, 2, 0]))
    pairs = set(zip(shown["session"].tolist(), shown["product"].tolist(), strict=True))
    expected = {(0, p) for p in range(6)} | {(1, p) for p in range(6, 12)}
    expected |= {(4, p) for p in range(18, 24)} | {(7, p) for p in range(12, 18)}  # nobody sells category 2
    assert pairs == expected
    assert (shown["cause"] == view.sessions.event[shown["session"]]).all()


def test_nobody_searching_shows_nothing() -> None:
    view, made = engine()
    assert not made.expose(view).exposures
    view.scratch["search"] = np.full(10, -1)
    assert not made.expose(view).exposures


def test_results_of_lone_and_stacked_worlds_are_the_same() -> None:
    lone, alone = engine(users=40, seeds=(8,))
    both, stacked = engine(users=40, seeds=(7, 8))
    one, two = found(lone, alone, 0), found(both, stacked, 0)
    assert ranks(lone).tolist() == ranks(both)[12:].tolist()
    assert ranks(both)[:12].tolist() != ranks(both)[12:].tolist()
    theirs = two["session"] >= 40
    assert (two["session"][theirs] - 40).tolist() == one["session"].tolist()
    assert (two["product"][theirs] - 12).tolist() == one["product"].tolist()


def test_a_score_of_nothing_is_last_but_still_listed() -> None:
    view = make_view(users=2, products=2, columns=SearchEngine.columns)
    view.world.product["category"][:] = 0
    made = mechanism(SearchEngine, view)
    view.state["merchant"]["score"][:] = [0.0, 3.0]
    apply(view, made.close(view))
    assert sorted(ranks(view)[:2].tolist()) == [2, 3]
