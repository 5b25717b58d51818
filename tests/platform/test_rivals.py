import numpy as np

from sim.platform.rivals import Rivals
from tests.views import make_view, mechanism, seat

EULER = 0.5772156649015329


def outside(view, **params):  # type: ignore[no-untyped-def]
    fx = mechanism(Rivals, view, **params).arrive(view)
    ((name, values),) = fx.scratch
    assert name == "outside"
    assert values.shape == (len(view.sessions),)
    return values


def test_one_product_is_bought_with_the_logit_probability() -> None:
    """P(u + G > attraction + G') = 1 / (1 + exp(attraction - u)); an independent uniform stands for u's noise."""
    view = make_view(users=40_000)
    values = outside(view, attraction=2.0)
    quantile = (np.arange(40_000) + 0.5) / 40_000
    noise = -np.log(-np.log(np.random.default_rng(1).permutation(quantile)))
    for utility in (0.0, 1.0, 2.0, 3.0):
        p = 1 / (1 + np.exp(2.0 - utility))
        assert abs((utility + noise > values).mean() - p) < 4 * np.sqrt(p * (1 - p) / 40_000)


def test_noise_is_standard_gumbel() -> None:
    values = outside(make_view(users=40_000), attraction=3.0)
    assert abs(values.mean() - 3.0 - EULER) < 4 * (np.pi / np.sqrt(6)) / 200
    for x in (-1.0, 0.0, 1.0, 3.0):
        p = np.exp(-np.exp(-x))
        assert abs((values - 3.0 < x).mean() - p) < 4 * np.sqrt(p * (1 - p) / 40_000)


def test_a_sale_elsewhere_moves_every_session_by_its_pull_and_changes_no_luck() -> None:
    view = make_view(users=50)
    view.calendar.sale_pull[3] = 0.5
    ordinary, sale = (outside(seat(view, day=day), sale_attraction=0.8) for day in (2, 3))
    assert not np.array_equal(ordinary, sale)  # another day, other luck
    without = outside(view, sale_attraction=0.0)
    np.testing.assert_allclose(sale - without, 0.4, atol=1e-12)


def test_after_the_horizon_there_is_no_calendar_to_ask() -> None:
    view = make_view(users=5)
    seat(view, day=view.calendar.days + 3, running=False, planned=False)
    assert np.isfinite(outside(view)).all()


def test_outside_is_the_sessions_own() -> None:
    together = outside(make_view(users=30))
    some = make_view(users=30)
    seat(some, user=np.array([3, 17, 29]))
    assert outside(some).tolist() == together[[3, 17, 29]].tolist()
