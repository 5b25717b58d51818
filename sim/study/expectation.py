"""What was expected, against what was found: each claim held, did not hold, or cannot be told.

A claim is about means over seeds: of a metric under a strategy; of its difference to another's, or to the baseline plus
the sum of what others add to that; of a quotient of two means. Its interval is that of the jackknife over seeds, which
share their luck: standard error √((n - 1) / n · Σ (θᵢ - θ̄)²) with θᵢ found without seed i, Student's t with n - 1
degrees of freedom (J. Tukey 1958; B. Efron, The Jackknife, 1982). For a mean or a difference that is the paired t
interval. A claim held if the whole interval is where it said, and did not hold if none of it is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.config.model import Expected, Range
from sim.metrics.catalog import METRICS
from sim.study.stats import Estimate, finite, t_quantile
from sim.units import Bools
from sim.words import _, marked, told

if TYPE_CHECKING:
    from sim.study.comparison import Comparison

HELD, FAILED, OPEN = marked("held"), marked("did not hold"), marked("cannot tell")


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, what was found of it (the difference, the multiple or the size), and whether it held."""

    claim: str
    found: Estimate
    verdict: str
    made_of: tuple[tuple[str, str], ...]  # strategies and metrics whose means it was found from

    def __str__(self) -> str:
        """The claim in a sentence, with its verdict and what was found."""
        from sim.study.table import NOTHING, number

        low, high = number(self.found.low), number(self.found.high)
        interval = f", {low} .. {high}" if low != NOTHING else ""
        return f"{self.claim}: {_(self.verdict)} ({number(self.found.mean)}{interval})"

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        mean, *interval = map(finite, (self.found.mean, self.found.low, self.found.high))
        return {
            "claim": self.claim,
            "verdict": self.verdict,
            "mean": mean,
            "ci95": None if None in interval else interval,
        }


def judge(comparison: "Comparison", claim: Expected) -> Judged:
    """Whether a claim held, over the seeds that every strategy concerned has finished."""
    others = _others(comparison, claim)
    base = (comparison.baseline,) * (len(others) > 1 or claim.per is not None)
    names, metrics = dict.fromkeys((claim.strategy, *others, *base)), (claim.metric, *filter(None, (claim.per,)))
    done = np.logical_and.reduce([comparison.done[name] for name in (claim.strategy, *others, comparison.baseline)])

    def mean(strategy: str, metric: str, kept: Bools) -> float:
        return float(comparison.per_seed(strategy, metric)[kept].mean())

    def added(strategy: str, metric: str, kept: Bools) -> float:
        return mean(strategy, metric, kept) - mean(comparison.baseline, metric, kept)

    def size(strategy: str, kept: Bools) -> float:
        if claim.per is None:
            return mean(strategy, claim.metric, kept)
        return _quotient(added(strategy, claim.metric, kept), added(strategy, claim.per, kept))

    def measured(kept: Bools) -> float:
        if claim.between is not None:
            return size(claim.strategy, kept)
        if claim.times is not None:
            return _quotient(size(claim.strategy, kept), size(others[0], kept))
        if len(others) == 1:
            return size(claim.strategy, kept) - size(others[0], kept)
        return added(claim.strategy, claim.metric, kept) - sum(added(name, claim.metric, kept) for name in others)

    found = jackknife(measured, done)
    made_of = tuple((name, metric) for metric in metrics for name in names)
    return Judged(words(comparison, claim), found, _verdict(claim, found), made_of)


def words(comparison: "Comparison", claim: Expected) -> str:
    """A claim in words."""
    metric = told(METRICS[claim.metric].title)
    if claim.per:
        metric = _("{metric} per {other}", metric=metric, other=told(METRICS[claim.per].title).lower())
    what = _("{metric}, {strategy}", metric=metric, strategy=claim.strategy)
    others = " + ".join(f'"{name}"' for name in _others(comparison, claim))
    if claim.is_ is not None:
        higher = claim.is_ == "higher"
        return _(
            marked("{what}: higher than {others}") if higher else marked("{what}: lower than {others}"),
            what=what,
            others=others,
        )
    if claim.times is not None:
        return _("{what}: {span} times {others}", what=what, span=_span(claim.times), others=others)
    assert claim.between is not None
    return _("{what}: {more}", what=what, more=_span(claim.between))


def jackknife(measured: Callable[[Bools], float], done: Bools) -> Estimate:
    """A function of means over seeds, and its 95 % interval; of one seed there is none."""
    seeds = done.nonzero()[0]
    whole = measured(done) if seeds.size else math.nan
    if not math.isfinite(whole) or seeds.size < 2:
        return Estimate(whole if math.isfinite(whole) else math.nan, math.nan, math.nan)
    without = np.array([measured(done & (np.arange(done.size) != seed)) for seed in seeds])
    if not np.isfinite(without).all():
        return Estimate(whole, math.nan, math.nan)
    spread = 0.0 if (without == without[0]).all() else float(np.square(without - without.mean()).sum())
    half = t_quantile(seeds.size) * math.sqrt((seeds.size - 1) / seeds.size * spread)
    return Estimate(whole, whole - half, whole + half)


def _others(comparison: "Comparison", claim: Expected) -> tuple[str, ...]:
    """The strategies that a claim compares with."""
    if claim.between is not None:
        return ()
    return ((claim.than,) if isinstance(claim.than, str) else claim.than) or (comparison.baseline,)


def _verdict(claim: Expected, found: Estimate) -> str:
    if not math.isfinite(found.low):
        return OPEN
    if claim.is_ is not None:
        low, high = (found.low, found.high) if claim.is_ == "higher" else (-found.high, -found.low)
        return HELD if low > 0.0 else FAILED if high < 0.0 or low == high else OPEN
    least, most = claim.times or claim.between or (None, None)
    least, most = -math.inf if least is None else least, math.inf if most is None else most
    if least <= found.low and found.high <= most:
        return HELD
    return FAILED if found.high < least or found.low > most else OPEN


def _span(ends: Range) -> str:
    low, high = (None if end is None else f"{end:g}" for end in ends)
    if low is None or high is None:
        return _("at most {high}", high=high) if low is None else _("at least {low}", low=low)
    return _("{low} to {high}", low=low, high=high)


def _quotient(above: float, below: float) -> float:
    return above / below if below else math.nan
