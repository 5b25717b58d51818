import math

import numpy as np
import pytest

from sim.report.shape import line, mean, number, paired
from sim.study.stats import estimate


def test_number_keeps_six_digits_and_drops_what_is_undefined() -> None:
    assert number(1234567.0) == 1234570.0
    assert number(0.0) == 0.0
    assert number(math.nan) is None
    assert number(math.inf) is None


def test_a_line_is_the_estimate_at_each_place() -> None:
    rows = [np.array([1.0, 5.0]), np.array([2.0, 5.0]), np.array([6.0, 5.0])]
    found = line("a", rows)
    here = estimate(np.array([1.0, 2.0, 6.0]))
    assert found.mean == (3.0, 5.0)
    assert found.low[0] == pytest.approx(here.low, rel=1e-5)
    assert found.high[0] == pytest.approx(here.high, rel=1e-5)
    assert (found.low[1], found.high[1]) == (5.0, 5.0)


def test_one_run_has_no_interval_and_none_no_places() -> None:
    assert line("a", [np.array([1.0, 2.0])]).low == ()
    assert line("a", []).mean == ()
    assert mean([]) is None


def test_pairs_are_of_the_worlds_that_both_have() -> None:
    own = {0: np.array([3.0]), 2: np.array([5.0])}
    base = {0: np.array([1.0]), 1: np.array([9.0]), 2: np.array([1.0])}
    assert [row.tolist() for row in paired(own, base)] == [[2.0], [4.0]]
