"""Predictions beside results, by hand."""

from pathlib import Path

import numpy as np
import pytest

from sim.study.comparison import Comparison
from sim.web.predictions import Prediction, in_percent, judged, winner

SEEDS = (1, 2, 3, 4)


def comparison(base: list[float], other: list[float], metric: str = "net_gmv") -> Comparison:
    return Comparison(
        title="x",
        baseline="base",
        merchant="m",
        metrics=(metric,),
        seeds=SEEDS,
        values={"base": np.array([base]), "other": np.array([other])},
        done={name: np.ones(4, np.bool_) for name in ("base", "other")},
        digests=dict.fromkeys(("base", "other"), ("",) * 4),
        failures=(),
        folder=Path(),
    )


def test_differences_are_per_cent_of_the_baselines_mean() -> None:
    found = in_percent(comparison([100, 100, 200, 200], [110, 120, 205, 225]), "other")
    assert found.mean == pytest.approx(100 * 15 / 150)
    half = 3.1824 * np.std([10, 20, 5, 25], ddof=1) / 2  # Student's t with three degrees of freedom
    assert found.high - found.mean == pytest.approx(100 * half / 150, rel=1e-4)


def test_inside_distance_and_side() -> None:
    found = comparison([100, 100, 100, 100], [110, 112, 108, 110])
    near, far, wrong = (judged(found, Prediction("a", {"other": said}))[0] for said in (9.0, 40.0, -9.0))
    assert (near.inside, near.sign, near.distance) == (True, True, pytest.approx(1.0))
    assert (far.inside, far.sign, far.distance) == (False, True, pytest.approx(30.0))
    assert (wrong.inside, wrong.sign) == (False, False)


def test_nothing_said_of_nothing_found_is_the_right_side() -> None:
    (same,) = judged(comparison([100] * 4, [100] * 4), Prediction("a", {"other": 0.0, "gone": 3.0}))
    assert (same.inside, same.sign, same.distance) == (True, True, 0.0)


def test_of_a_baseline_of_nothing_there_is_no_per_cent() -> None:
    (none,) = judged(comparison([0] * 4, [1, 2, 3, 4]), Prediction("a", {"other": 5.0}))
    assert (none.found, none.distance, none.inside, none.sign) == (None, None, None, None)


def test_who_wins() -> None:
    assert Prediction("a", {"other": -3.0}).winner("base", True) == "base"
    assert Prediction("a", {"other": -3.0}).winner("base", False) == "other"
    assert winner({"base": 0.0, "one": 2.0, "two": 2.0}, None) == "one"
