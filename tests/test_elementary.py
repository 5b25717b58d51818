"""Own log and exp against numpy's, whose last bit may differ but no more."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.elementary import exp, log

EPS = np.finfo(float).eps


def wide(count):
    """Positive numbers spread evenly over 600 orders of magnitude, and densely around 1."""
    rng = np.random.default_rng(1)
    return np.concatenate((10.0 ** rng.uniform(-300, 300, count), rng.uniform(0.5, 2.0, count)))


def test_log_is_right_to_two_units_in_the_last_place():
    x = wide(50_000)
    assert (np.abs(log(x) - np.log(x)) <= 2 * EPS * np.abs(np.log(x))).all()


def test_exp_is_right_to_two_units_in_the_last_place():
    x = np.concatenate((np.linspace(-700, 700, 60_001), np.linspace(-1, 1, 20_001)))
    assert (np.abs(exp(x) / np.exp(x) - 1) <= 2 * EPS).all()


def test_known_values():
    assert log(np.array([1.0])) == 0.0
    assert exp(np.array([0.0])) == 1.0
    powers = [math.ldexp(1.0, k) for k in range(-1000, 1001, 125)]
    assert log(np.array(powers)) == pytest.approx([math.log(x) for x in powers], rel=2 * EPS, abs=0)


def test_limits():
    assert log(np.array([0.0])).tolist() == [-math.inf]
    assert exp(np.array([701.0, 1e300, math.inf])).tolist() == exp(np.full(3, 700.0)).tolist()
    assert (exp(np.array([-701.0, -math.inf])) == exp(np.array([-700.0]))).all()
    assert 0 < exp(np.array([-700.0]))[0] < 1e-300


def test_exp_undoes_log():
    x = wide(20_000)
    # an error of e in log(x) is one of e in exp: up to one unit of |log x|
    assert (np.abs(exp(log(x)) / x - 1) <= EPS * (2 + np.abs(np.log(x)))).all()


@given(st.floats(-699, 699), st.integers(1, 1_000))
def test_exp_rises(x, steps):
    more = x
    for _ in range(3):
        more = math.nextafter(more, math.inf)
    assert exp(np.array([x]))[0] <= exp(np.array([more + steps * 1e-13]))[0]


@given(st.floats(1e-300, 1e300), st.integers(1, 1_000))
def test_log_rises(x, steps):
    assert log(np.array([x]))[0] <= log(np.array([x * (1 + steps * 1e-14)]))[0]


def test_shapes_and_scalars():
    assert log(np.ones((2, 3))).shape == exp(np.ones((2, 3))).shape == (2, 3)
    assert log(np.zeros(0)).size == exp(np.zeros(0)).size == 0
    assert float(exp(1)) == float(exp(np.array(1.0)))


@given(st.lists(st.floats(1e-300, 1e300) | st.floats(0.4, 1.5) | st.just(0.0), min_size=20, max_size=30))
def test_log_of_a_lone_number_is_that_of_one_among_many(values: list[float]) -> None:
    assert [log(np.array([x])).item() for x in values] == log(np.array(values)).tolist()


@given(st.lists(st.floats(-800, 800), min_size=20, max_size=30))
def test_exp_of_a_lone_number_is_that_of_one_among_many(values: list[float]) -> None:
    assert [exp(np.array([x])).item() for x in values] == exp(np.array(values)).tolist()
