"""Quantile tables: a distribution as its inverse at 4,097 evenly spaced points, read with `sim.draws.quantile`.

Values are rounded to 12 significant digits, so that every processor and library version holds the same table. The
two outermost points are finite and set so that the outermost cells keep their mean.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from sim.units import F64

POINTS = 4_097
_DIGITS = 12
_CELL = 200  # midpoints that average the inverse over an outermost cell


def table(inverse: Callable[[F64], F64], mean: float | None = None) -> F64:
    """The quantile table of an inverse distribution function, scaled to `mean` when given; shape (4097,)."""
    p = np.arange(1, POINTS - 1) / (POINTS - 1)
    inner = np.asarray(inverse(p), np.float64)
    fine = (np.arange(_CELL) + 0.5) / _CELL / (POINTS - 1)
    low = 2.0 * np.mean(inverse(fine)) - inner[0]
    high = 2.0 * np.mean(inverse(1.0 - fine)) - inner[-1]
    out = np.concatenate([[min(low, inner[0])], inner, [max(high, inner[-1])]])
    if mean is not None:
        out = out * (mean / np.mean((out[:-1] + out[1:]) / 2.0))
    return _frozen(out)


@cache
def normal_table() -> F64:
    """Standard normal."""
    from scipy.special import ndtri

    return table(ndtri)


@cache
def gamma_table(shape: float) -> F64:
    """Gamma with mean 1 and variance 1 / shape; never negative."""
    from scipy.special import gammaincinv

    return _positive(table(lambda p: gammaincinv(shape, p) / shape), 1.0)


@cache
def beta_table(a: float, b: float) -> F64:
    """Beta on (0, 1) with mean a / (a + b)."""
    from scipy.special import betaincinv

    return _frozen(np.clip(table(lambda p: betaincinv(a, b, p)), 0.0, 1.0))


@cache
def lognormal_table(sigma: float, mean: float = 1.0) -> F64:
    """Lognormal with the given mean and spread `sigma` of its logarithm."""
    from scipy.special import ndtri

    return _positive(table(lambda p: np.exp(sigma * ndtri(p))), mean)


def _positive(values: F64, mean: float) -> F64:
    """No point below zero, and exactly this mean under linear reading."""
    values = np.maximum(values, 0.0)
    return _frozen(values * (mean / np.mean((values[:-1] + values[1:]) / 2.0)))


def _frozen(values: F64) -> F64:
    """Rounded to 12 significant digits, read-only."""
    out = np.array([float(f"{value:.{_DIGITS - 1}e}") for value in values])
    out.flags.writeable = False
    return out
