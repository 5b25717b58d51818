"""What it means here that a simulation agrees with a theorem: a stated number of standard errors, a stated risk.

Every comparison allows four standard errors (or the same tail of chi-square). A true statement breaks that once in
16,000 comparisons, the 140 of this folder together once in 110 choices of seeds; with the fixed seeds of the tests
they either always pass or always fail. `within` says how wrong the simulation could be without being noticed: the
test itself fails if it could not tell.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2, norm

Z = 4.0  # standard errors
FALSE_ALARM = float(2 * norm.sf(Z))  # 6.3e-5
LEAST = 5.0  # expected count of a cell of chi-square, below which cells are pooled


def agrees(got: float, wanted: float, error: float, within: float) -> None:
    """A number with this standard error is as the theorem says; what is off by the part `within` would be noticed."""
    assert Z * error < within * abs(wanted), f"cannot tell: {Z:g} errors of {error:.4g} against {wanted:.4g}"
    assert abs(got - wanted) < Z * error, f"{got:.5g} is {(got - wanted) / error:+.1f} errors from {wanted:.5g}"


def agrees_share(hits: float, n: int, wanted: float, within: float) -> None:
    """So many of n independent trials succeed as the theorem says."""
    agrees(hits / n, wanted, math.sqrt(wanted * (1 - wanted) / n), within)


def agrees_mean(sample: Sequence[float] | np.ndarray, wanted: float, within: float) -> None:
    """The mean of independent draws is as the theorem says; the standard error is the sample's own."""
    values = np.asarray(sample, np.float64)
    agrees(float(values.mean()), wanted, float(values.std(ddof=1)) / math.sqrt(values.size), within)


def fits(values: np.ndarray, probability: Sequence[float] | np.ndarray, first: int = 0) -> None:
    """Independent whole numbers follow a distribution: `probability` of `first`, `first + 1`, ..., the rest is more.

    Pearson's chi-square; the rarest cell is pooled with the next rarest until five are expected in each.
    """
    p = np.append(probability, max(0.0, 1 - math.fsum(probability)))
    seen = np.bincount(np.minimum(values - first, p.size - 1), minlength=p.size).astype(np.float64)
    seen, expected = seen[np.argsort(-p)], np.sort(p)[::-1] * values.size
    while expected[-1] < LEAST:
        expected, seen = (np.append(cells[:-2], cells[-2:].sum()) for cells in (expected, seen))
    assert expected.size > 2, "cannot tell: too few are expected"
    surprise = float(chi2.sf(((seen - expected) ** 2 / expected).sum(), expected.size - 1))
    assert surprise > FALSE_ALARM, f"{seen} against {expected.round(1)}: p = {surprise:.1e}"
