import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.ledger.schema import Records
from sim.operations.after_sale import AfterSale
from sim.platform.store_score import StoreScore
from sim.units import HOUR
from tests.views import apply, make_view, mechanism


def platform(rated: bool = True, **params):  # type: ignore[no-untyped-def]
    view = make_view(users=2, merchants=2, columns=(*StoreScore.columns, *(AfterSale.columns if rated else ())))
    return view, mechanism(StoreScore, view, **params)


def happen(view, made, kind: str, n: int, merchant: int = 0, granted: bool = True, hours: int = 0) -> None:  # type: ignore[no-untyped-def]
    rows = Records(n, merchant=merchant, detail=hours * HOUR)
    apply(view, made.settle(view, kind, rows, np.full(n, granted)))


def rate(view, stars: int, n: int) -> None:  # type: ignore[no-untyped-def]
    view.state["merchant"]["ratings"][0] += n
    view.state["merchant"]["stars"][0] += n * stars


def night(view, made) -> float:  # type: ignore[no-untyped-def]
    apply(view, made.close(view))
    return float(view.state["merchant"]["score"][0])


def test_a_new_shop_keeps_the_score_that_it_is_shown_with() -> None:
    view, made = platform()
    shown = view.state["merchant"]["score"].copy()
    for _ in range(3):
        night(view, made)
    assert view.state["merchant"]["score"] == pytest.approx(shown)


def test_shrunk_mean_of_one_day_by_hand() -> None:
    """40 ratings of 3 stars, remembered by half after the first night: (30 · 4.5 + 60) / (30 + 20) = 3.9."""
    view, made = platform(half_life_days=1.0, prior=30.0)
    rate(view, 3, 40)
    assert night(view, made) == pytest.approx(3.9)


def test_moving_average_in_closed_form() -> None:
    """With n ratings of s a day, the weighted count after day t is n · d(1 - d^t)/(1 - d), d = 2^(-1/h)."""
    view, made = platform(half_life_days=5.0, prior=10.0)
    d = 0.5 ** (1 / 5)
    for day in range(1, 40):
        rate(view, 2, 7)
        weight = 7 * d * (1 - d**day) / (1 - d)
        assert night(view, made) == pytest.approx((10 * 4.5 + 2 * weight) / (10 + weight), rel=1e-9)


def test_the_score_forgives_with_its_half_life() -> None:
    view, made = platform(half_life_days=10.0, prior=20.0)
    rate(view, 1, 100)
    weights = []
    for _ in range(21):
        score = night(view, made)
        weights.append(20 * (4.5 - score) / (score - 1))  # from (20·4.5 + w) / (20 + w)
    assert weights[10] / weights[0] == pytest.approx(0.5)
    assert weights[20] / weights[0] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("kind", "more", "loss"),
    [
        ("return", {"n": 100}, 4.0 * 0.10),  # 150 of 1,000 parcels sent back instead of 50
        ("delivery", {"n": 500, "hours": 73}, 1.5 * (800 / 1500 - 0.3) + 4.0 * (50 / 1500 - 0.05)),
        ("delivery", {"n": 500, "hours": 72}, 1.5 * (300 / 1500 - 0.3) + 4.0 * (50 / 1500 - 0.05)),  # just in time
        ("order", {"n": 250, "granted": False}, 4.0 * 250 / 1250),
        ("gift_order", {"n": 250, "granted": False}, 4.0 * 250 / 1250),
    ],
)
def test_each_share_in_excess_costs_its_points(kind: str, more: dict, loss: float) -> None:
    """An ordinary shop, so large that the prior does not matter, to which more of one thing happens."""
    view, made = platform(prior=1e-6)
    for merchant in (0, 1):
        happen(view, made, "order", 1_000, merchant)
        happen(view, made, "delivery", 700, merchant, hours=72)
        happen(view, made, "delivery", 300, merchant, hours=73)
        happen(view, made, "return", 50, merchant)
    happen(view, made, kind, **more)
    assert night(view, made) == pytest.approx(4.5 - loss, abs=1e-5)
    assert view.state["merchant"]["score"][1] == pytest.approx(4.5, abs=1e-5)


@given(
    st.lists(
        st.tuples(st.sampled_from(["order", "delivery", "return", "rating"]), st.integers(0, 500), st.integers(1, 5)),
        max_size=20,
    )
)
def test_the_score_stays_between_0_and_5_whatever_happens(history: list[tuple[str, int, int]]) -> None:
    view, made = platform(prior=0.5, points_per_refund=100.0, points_per_late=50.0)
    for kind, n, stars in history:
        if kind == "rating":
            rate(view, stars, n)
        else:
            happen(view, made, kind, n, granted=stars > 2, hours=20 * stars)
        assert 0.0 <= night(view, made) <= 5.0


def test_without_ratings_the_rest_still_counts() -> None:
    view, made = platform(rated=False, prior=10.0)
    happen(view, made, "delivery", 100, hours=10)
    happen(view, made, "return", 100)
    assert night(view, made) < 4.0


def test_a_tally_that_the_night_has_not_seen_is_not_lost() -> None:
    """What is counted in the last tick of the day becomes visible after the score is made; it counts tomorrow."""
    view, made = platform(half_life_days=1.0, prior=30.0)
    fx = made.close(view)
    rate(view, 3, 80)
    apply(view, fx)
    night_score = night(view, made)
    assert night_score == pytest.approx((30 * 4.5 + 3 * 40) / (30 + 40))
