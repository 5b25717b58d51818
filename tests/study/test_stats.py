import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from sim.study import stats

FINITE = st.floats(-1e6, 1e6, allow_subnormal=False)
PAIRS = st.lists(st.tuples(FINITE, FINITE), min_size=2, max_size=30).map(lambda rows: np.array(rows).T)


@pytest.mark.parametrize("n", [2, 3, 8, 16, 64])
def test_interval_is_that_of_scipy(n: int) -> None:
    values = np.random.default_rng(n).normal(5.0, 2.0, n)
    low, high = oracle.t.interval(0.95, n - 1, values.mean(), oracle.sem(values))
    found = stats.estimate(values)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert found.mean == pytest.approx(values.mean())


@pytest.mark.parametrize("n", [2, 5, 20])
def test_difference_is_the_paired_t_test_of_scipy(n: int) -> None:
    rng = np.random.default_rng(n)
    luck = rng.normal(0.0, 10.0, n)
    a, b = luck + rng.normal(1.0, 1.0, n), luck + rng.normal(0.0, 1.0, n)
    theirs = oracle.ttest_rel(a, b).confidence_interval(0.95)
    ours = stats.difference(a, b, True)
    assert (ours.estimate.low, ours.estimate.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    assert ours.variance_reduction == pytest.approx((a.var(ddof=1) + b.var(ddof=1)) / (a - b).var(ddof=1))


@given(PAIRS)
def test_verdict_agrees_with_the_p_value(pair: np.ndarray) -> None:
    a, b = pair
    found = stats.difference(a, b, True).verdict
    if (a - b == 0).all():
        assert found == "same"
    elif np.ptp(a - b) == 0:
        assert found == ("better" if a[0] > b[0] else "worse")
    else:
        p = oracle.ttest_rel(a, b).pvalue
        if abs(p - 0.05) > 1e-6:
            assert found.startswith("cannot tell") == (p > 0.05)


def test_coverage_is_95_percent() -> None:
    trials, n = 4_000, 6
    values = np.random.default_rng(1).normal(3.0, 1.0, (trials, n))
    inside = sum(found.low <= 3.0 <= found.high for found in map(stats.estimate, values))
    assert abs(inside / trials - 0.95) < 4 * (0.95 * 0.05 / trials) ** 0.5  # four standard errors


@pytest.mark.parametrize(
    ("paired", "higher_is_better", "wanted"),
    [
        ([1.0, 1.1, 0.9], True, "better"),
        ([1.0, 1.1, 0.9], False, "worse"),
        ([1.0, 1.1, 0.9], None, "higher"),
        ([-1.0, -1.1, -0.9], True, "worse"),
        ([-1.0, -1.1, -0.9], False, "better"),
        ([-1.0, -1.1, -0.9], None, "lower"),
        ([2.0, 2.0, 2.0], True, "better"),
        ([0.0, 0.0, 0.0], True, "same"),
        ([0.0], True, "same"),
        ([3.0], True, "cannot tell: one seed shows no spread"),
        ([1.0, -1.0], True, "cannot tell: over 10,000 more seeds"),
        ([1.0, np.nan, 1.0], True, "undefined"),
        ([], True, "undefined"),
    ],
)
def test_verdict_of_hand_cases(paired: list[float], higher_is_better: bool | None, wanted: str) -> None:
    values = np.array(paired)
    assert stats.difference(values, np.zeros_like(values), higher_is_better).verdict == wanted


def test_number_of_seeds_by_hand() -> None:
    # Differences 0, 1, 2: mean 1, s = 1, t(2) = 4.30265; n = 18.51, so 15.51 more, rounded up.
    assert stats.more_seeds(np.array([0.0, 1.0, 2.0])) == "about 16"


@given(st.lists(FINITE, min_size=2, max_size=30).map(np.array))
def test_seeds_asked_for_would_settle_it(paired: np.ndarray) -> None:
    found = stats.difference(paired, np.zeros_like(paired), True).verdict
    if not found.startswith("cannot tell: about"):
        return
    n = paired.size + int(found.split()[3].replace(",", ""))
    half = stats.t_quantile(paired.size) * paired.std(ddof=1) / n**0.5
    assert half <= abs(paired.mean()) * (1 + 1e-9) or n == paired.size + 1


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [2.0, 3.0]])
def test_variance_reduction_is_undefined_without_spread_of_the_difference(values: list[float]) -> None:
    a = np.array(values)
    assert np.isnan(stats.variance_reduction(a, a - 1.0))


def test_independent_strategies_gain_nothing_from_pairing() -> None:
    rng = np.random.default_rng(3)
    n = 20_000
    gain = stats.variance_reduction(rng.normal(size=n), rng.normal(size=n))
    assert abs(gain - 1.0) < 4 * 2 / n**0.5  # correlation's standard error is 1/√n
