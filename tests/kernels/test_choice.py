"""Discrete choice and its outside option; its shares are held against the logit in `tests/theory/test_logit.py`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels.choice import discrete_choice, logistic


def test_the_outside_option_wins_ties():
    tie = np.array([9, 3, 5], np.uint64)
    chosen = discrete_choice(np.array([2, 2, 7]), np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.0]), tie)
    assert chosen.tolist() == [1, -1]


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.integers(0, 5), st.floats(0, 3), st.floats(-5, 5))
def test_raising_an_option_moves_choice_only_towards_it(utility, option, more, outside):
    option %= len(utility)
    segment, tie = np.zeros(len(utility), np.int64), np.arange(len(utility)).astype(np.uint64)
    before = discrete_choice(segment, np.array(utility), np.array([outside]), tie)
    utility[option] += more
    after = discrete_choice(segment, np.array(utility), np.array([outside]), tie)
    assert after[0] in (before[0], option)


def test_nothing_to_choose():
    none = np.zeros(0)
    assert discrete_choice(none.astype(np.int64), none, none, none.astype(np.uint64)).size == 0


def test_logistic_matches_its_formula():
    x = np.linspace(-40, 40, 401)
    assert logistic(x) == pytest.approx(1 / (1 + np.exp(-x)), rel=1e-14)
    assert (np.diff(logistic(x)) >= 0).all()
