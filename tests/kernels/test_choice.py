"""Discrete choice and its outside option; its shares are held against the logit in `tests/theory/test_logit.py`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import draws
from sim.kernels.choice import by_share, discrete_choice, logistic, race

N = 40_000
SIGMAS = 4.0  # standard errors; beyond by chance once in 16,000 comparisons


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


def test_a_column_is_found_in_proportion_to_its_weight():
    weight = np.tile(np.array([0.0, 3.0, 1.0, 0.0, 4.0], np.float32), (N, 1))
    column = by_share(weight, draws.uniform("test/spin", draws.keys(1, "by_share", N)[:, None], np.arange(2)))
    share = np.bincount(column.ravel(), minlength=5) / column.size
    wanted = weight[0] / weight[0].sum()
    assert (np.abs(share - wanted) <= SIGMAS * np.sqrt(wanted * (1 - wanted) / column.size)).all()


@given(st.lists(st.floats(0, 9), min_size=1, max_size=6).filter(any), st.floats(1e-9, 1 - 1e-9))
def test_the_column_is_where_the_running_sum_passes_the_spin(weight, spin):
    upto = np.cumsum(weight)
    expected = int((upto[:-1] < spin * upto[-1]).sum())
    assert by_share(np.array([weight]), np.array([[spin]])).tolist() == [[expected]]


def test_a_race_is_won_in_proportion_to_weight():
    table, weight = np.array([[0, 1, 2], [2, 3, 3]]), np.array([[1.0, 2.0, 5.0, 1e-300], [4.0, 2.0, 2.0, 1e-300]])
    for row, world in ((0, 0), (0, 1), (1, 0)):
        one = np.zeros(N, np.int64)
        number = np.array([3, 9, 4, 7])
        won = race("test", draws.keys(2, "race", N), one, one + world, table, one + row, number, weight)
        wanted = np.bincount(table[row], weight[world, table[row]], 4)
        wanted /= wanted.sum()
        error = np.sqrt(wanted * (1 - wanted) / N)
        assert (np.abs(np.bincount(won, minlength=4) / N - wanted) <= SIGMAS * error).all()


@given(st.integers(0, 2), st.floats(1.0, 9.0))
def test_an_entry_with_more_weight_only_gains(entry, more):
    event, one, number = draws.keys(3, "race", 50), np.zeros(50, np.int64), np.arange(3)
    weight = np.array([[1.0, 2.0, 3.0]])
    before = race("test", event, one, one, number[None], one, number, weight)
    weight[0, entry] *= more
    after = race("test", event, one, one, number[None], one, number, weight)
    assert ((after == before) | (after == entry)).all()
