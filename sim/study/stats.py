"""Statistics of paired replications: means, t intervals, verdicts, and how many more seeds would settle a question.

All strategies share their seeds, so what is compared is the difference within each seed: its spread is far smaller
than that of either strategy alone. Two intervals that overlap say nothing; the interval of the difference does.
"""

from dataclasses import dataclass

import numpy as np

from sim.units import F64

CONFIDENCE = 0.95
MOST_SEEDS = 10_000  # beyond this many more, asking for seeds is no longer an answer


def finite(value: float) -> float | None:
    """A number as JSON can hold it: None for one that is not defined."""
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds and its 95 % t interval; NaN where it is not defined."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """What a strategy changes against the baseline, seed by seed."""

    estimate: Estimate
    verdict: str
    variance_reduction: float  # how many times more seeds an unpaired comparison would need; NaN if unknown


def t_quantile(n: int) -> float:
    """The two-sided 95 % quantile of Student's t with n - 1 degrees of freedom."""
    from scipy.special import stdtrit  # a tenth of the import time of scipy.stats

    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))


def estimate(values: F64) -> Estimate:
    """Mean and interval, mean ± t·s/√n; of one value no interval, and nothing at all if any value is not finite."""
    if values.size == 0 or not np.isfinite(values).all():
        return Estimate(np.nan, np.nan, np.nan)
    mean = float(values.mean())
    if values.size == 1:
        return Estimate(mean, np.nan, np.nan)
    half = t_quantile(values.size) * sd(values) / values.size**0.5
    return Estimate(mean, mean - half, mean + half)


def difference(values: F64, baseline: F64, higher_is_better: bool | None) -> Difference:
    """The paired comparison of two strategies over the same seeds, shape (n,) each."""
    paired = values - baseline
    found = estimate(paired)
    return Difference(found, verdict(paired, found, higher_is_better), variance_reduction(values, baseline))


def verdict(paired: F64, found: Estimate, higher_is_better: bool | None) -> str:
    """In words: ``better``, ``worse`` (``higher``, ``lower`` where neither is good), ``same``, ``undefined``, or

    ``cannot tell: about N more seeds``. ``same`` only if every seed came out exactly equal.
    """
    if not np.isfinite(found.mean):
        return "undefined"
    if not paired.any():
        return "same"
    if paired.size == 1:
        return "cannot tell: one seed shows no spread"
    if found.low <= 0.0 <= found.high:
        more = more_seeds(paired)
        return f"cannot tell: {more} more seed{'' if more == 'about 1' else 's'}"
    up = found.mean > 0.0
    if higher_is_better is None:
        return "higher" if up else "lower"
    return "better" if up is higher_is_better else "worse"


def more_seeds(paired: F64) -> str:
    """How many more seeds would make the interval exclude zero, if mean and spread stay: n = (t·s/|mean|)², less n."""
    mean = abs(float(paired.mean()))
    if mean > 0.0:
        more = (t_quantile(paired.size) * sd(paired) / mean) ** 2 - paired.size
        if more <= MOST_SEEDS:
            return f"about {max(1, int(np.ceil(more))):,}"
    return f"over {MOST_SEEDS:,}"


def variance_reduction(values: F64, baseline: F64) -> float:
    """Variance of the unpaired difference over that of the paired one, (Var a + Var b) / Var(a - b)."""
    if values.size < 2:
        return float("nan")
    spread = sd(values - baseline) ** 2
    return (sd(values) ** 2 + sd(baseline) ** 2) / spread if spread > 0.0 else float("nan")


def sd(values: F64) -> float:
    """Sample standard deviation; exactly 0 when all values are equal, whatever their mean rounds to."""
    return 0.0 if (values == values[0]).all() else float(values.std(ddof=1))
