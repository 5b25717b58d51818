import numpy as np
import pytest

from sim import elementary, fast
from sim.fast import elementary as twin

N = 1_000_000


def same(a, b):
    """Equal to the last bit."""
    return (np.atleast_1d(a).view(np.uint64) == np.atleast_1d(b).view(np.uint64)).all()


@pytest.fixture(scope="module")
def x():
    rng = np.random.default_rng(1)
    return np.concatenate((10.0 ** rng.uniform(-300, 300, N), rng.uniform(0.0, 2.0, N), [0.0, -1.0, 1.0, 1e308]))


@pytest.fixture(scope="module")
def y():
    rng = np.random.default_rng(2)
    return np.concatenate((rng.uniform(-720, 720, N), rng.uniform(-1.0, 1.0, N), [0.0, np.inf, -np.inf, 700.0]))


def test_log_and_exp_are_equal_to_the_last_bit(x, y, monkeypatch):
    compiled = elementary.log(x), elementary.exp(y)
    monkeypatch.setattr(fast, "present", False)
    assert same(compiled[0], elementary.log(x))
    assert same(compiled[1], elementary.exp(y))


def test_of_one_number_too(x, y):
    some = np.concatenate((x[::1_000], x[-4:])), np.concatenate((y[::1_000], y[-4:]))
    assert same([twin.log_of(v) for v in some[0]], elementary.log(some[0]))
    assert same([twin.exp_of(v) for v in some[1]], elementary.exp(some[1]))


def test_any_shape(x):
    grid = x[:60].reshape(5, 12)
    assert same(elementary.log(grid[:, ::2]).ravel(), elementary.log(grid)[:, ::2].ravel())
    assert elementary.exp(grid[:0]).shape == (0, 12)
