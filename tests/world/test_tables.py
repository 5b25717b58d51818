import numpy as np
import pytest
from scipy import stats

from sim import draws
from sim.units import F64
from sim.world.tables import POINTS, beta_table, gamma_table, lognormal_table, normal_table

TABLES = [
    (normal_table(), stats.norm(), 1.0),
    (gamma_table(0.5), stats.gamma(0.5, scale=2.0), 2.0),
    (gamma_table(6.0), stats.gamma(6.0, scale=1 / 6), 1 / 6),
    (beta_table(1.2, 3.1), stats.beta(1.2, 3.1), 1.2 * 3.1 / (4.3**2 * 5.3)),
    (lognormal_table(0.6), stats.lognorm(0.6, scale=np.exp(-0.18)), np.exp(0.36) - 1),
]


@pytest.mark.parametrize(("table", "law", "variance"), TABLES)
def test_tables_are_the_inverse_distribution(table: F64, law: stats.rv_continuous, variance: float) -> None:
    p = np.arange(1, POINTS - 1) / (POINTS - 1)
    assert table.shape == (POINTS,)
    assert np.isfinite(table).all()
    assert (np.diff(table) >= 0).all()
    assert np.allclose(table[1:-1], law.ppf(p), rtol=2e-4, atol=1e-9)
    draw = draws.quantile(table, "test/tables", np.uint64(1), np.arange(200_000))
    assert stats.kstest(draw, law.cdf).pvalue > 1e-3
    spread = np.sqrt(variance / draw.size)
    assert abs(draw.mean() - law.mean()) < 4 * spread
    assert draw.var() == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize("table", [gamma_table(0.1), gamma_table(1.5), lognormal_table(1.2)])
def test_mean_is_one_under_linear_reading(table: F64) -> None:
    assert np.mean((table[1:] + table[:-1]) / 2) == pytest.approx(1.0, abs=1e-10)
    assert table.min() >= 0.0


def test_no_spread_means_all_alike() -> None:
    assert (lognormal_table(0.0) == 1.0).all()


def test_values_have_twelve_digits() -> None:
    table = normal_table()
    assert [float(f"{value:.11e}") for value in table] == table.tolist()
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 0.0
