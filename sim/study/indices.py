"""Sensitivity indices of a model that also depends on luck: effects of parameters apart from noise between seeds.

Every point of a design runs under the same seeds (common random numbers). With y(x, r) the output at point x under
seed r, what is sought are the indices of its mean over luck, f(x) = E y(x, r). Putting the mean over few seeds in place
of f counts what luck is left in it as an effect: a square of a mean over R seeds is too large by s²/R. So every product
is taken between *different* seeds,

    <u, v> = sum over r ≠ r' of u(r) v(r') / (R (R - 1)),

whose expectation is E u · E v exactly (the U-statistic of a product of means, Hoeffding 1948; the bias of putting means
in their place is studied in arXiv:2210.08807). With one seed it is u · v, and luck cannot be told from effects.

Intervals are normal, 1.96 standard errors each way: the square root of the variance over a bootstrap of the design's
blocks (rows of Saltelli's scheme, trajectories of Morris's) and of the variance of the index between seeds taken alone,
divided by their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma

import numpy as np

from sim import draws
from sim.units import F64, I64

RESAMPLES = 1_000
_NORMAL = 1.959963984540054  # the two-sided 95 % quantile
_HALF_NORMAL = 0.7978845608028654  # the mean of |z|, √(2/π)


@dataclass(frozen=True, slots=True)
class Index:
    """One index of one factor, its 95 % interval, and the part that luck alone would show in its place.

    Of a Sobol index `noise` has been taken off already; an elementary effect must exceed it.
    """

    kind: str  # effect, spread; first, total
    value: float
    low: float
    high: float
    noise: float

    @property
    def matters(self) -> bool:
        """Whether the factor is told from luck: the whole interval above what noise would show."""
        return self.low > (self.noise if self.kind == "effect" else 0.0)


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the variance of a single run comes from, as shares: parameters, seeds, and both together."""

    parameters: float
    seeds: float
    both: float


def parts(values: F64) -> Parts:
    """Shares of the variance between runs at many points under the same seeds, values of shape (points, seeds).

    Two-way analysis of variance without replication (Searle, Casella & McCulloch 1992, ch. 4): with e the residuals
    from the means of points and seeds, V_both = Σe²/((n-1)(R-1)), V_parameters = s²(means of points) - V_both/R and
    V_seeds = s²(means of seeds) - V_both/n; below 0 means 0. NaN with one seed or one point.
    """
    points, seeds = values.shape
    if points < 2 or seeds < 2:
        return Parts(np.nan, np.nan, np.nan)
    by_point, by_seed = values.mean(axis=1), values.mean(axis=0)
    residual = values - by_point[:, None] - by_seed[None, :] + values.mean()
    both = float((residual**2).sum()) / ((points - 1) * (seeds - 1))
    variances = (
        max(0.0, float(by_point.var(ddof=1)) - both / seeds),
        max(0.0, float(by_seed.var(ddof=1)) - both / points),
        both,
    )
    whole = sum(variances)
    return Parts(*(part / whole for part in variances)) if whole > 0.0 else Parts(np.nan, np.nan, np.nan)


def elementary(effects: F64, seed: int = 0) -> list[tuple[Index, Index]]:
    """Morris's μ* and σ of each factor, from elementary effects of shape (trajectories, factors, seeds).

    An effect is the change of the output over the whole range of a factor, from a step along a part of it (Morris 1991;
    Campolongo, Cariboni & Saltelli 2007). μ* is the mean of |e|, e the mean over seeds; luck alone would give
    √(2/π) σ/√R (the mean of a half normal), which is its `noise`, σ being s over c4(R), by which s is too small. The
    spread's square is the variance of e between trajectories less the mean of s²/R: it tells whether the effect depends
    on where the other factors stand.
    """
    blocks, _, seeds = effects.shape
    mean = effects.mean(axis=2)
    luck = effects.var(axis=2, ddof=1) / seeds if seeds > 1 else np.zeros(mean.shape)
    picks = _picks(blocks, seed)

    star = np.abs(mean)
    error = _error(picks @ star, np.abs(effects).mean(axis=0))
    spread2 = (mean.var(axis=0, ddof=1) if blocks > 1 else np.zeros(mean.shape[1])) - luck.mean(axis=0)
    again2 = picks @ mean**2 - (picks @ mean) ** 2 - picks @ luck
    spread, again = np.sqrt(np.maximum(spread2, 0.0)), np.sqrt(np.maximum(again2, 0.0))
    noise = _HALF_NORMAL * np.sqrt(luck).mean(axis=0) / _shrinkage(seeds)
    return [
        (
            _index("effect", star[:, at].mean(), error[at], noise[at]),
            _index("spread", spread[at], again[:, at].std(), np.sqrt(luck[:, at].mean())),
        )
        for at in range(mean.shape[1])
    ]


def sobol(a: F64, b: F64, ab: F64, seed: int = 0) -> list[tuple[Index, Index]]:
    """First-order and total indices of each factor, from Saltelli's scheme.

    Outputs at the rows of A and B, shape (rows, seeds), and of A with each factor from B, (rows, factors, seeds).
    With d = ab - a: S = mean <b, d> / V (Saltelli et al. 2010, table 2b), T = mean <d, d> / 2V (Jansen 1999), V the
    variance of the rows of A and B, all with products between different seeds. NaN where nothing moves the output, or
    nothing but luck.
    """
    rows, seeds = a.shape
    centre = (a.sum(axis=0) + b.sum(axis=0) + ab.sum(axis=(0, 1))) / (rows * (2 + ab.shape[1]))
    a, b, ab = a - centre, b - centre, ab - centre
    even = np.full((1, rows), 1.0 / rows)
    found = _ratios(a, b, ab, even)
    if np.isnan(found[2]).any():
        return [(_index("first", np.nan, 0.0, np.nan), _index("total", np.nan, 0.0, np.nan))] * ab.shape[1]
    again = _ratios(a, b, ab, _picks(rows, seed))
    alone = [_ratios(a[:, [r]], b[:, [r]], ab[..., [r]], even) for r in range(seeds if seeds > 1 else 0)]
    plain_a, plain_b, plain_ab = (part.mean(axis=-1, keepdims=True) for part in (a, b, ab))
    plain = _ratios(plain_a, plain_b, plain_ab, even)
    out = []
    for kind, name in enumerate(("first", "total")):
        between = np.nan_to_num(np.stack([each[kind][0] for each in alone or [found]], axis=-1))
        error = _error(again[kind], between)
        noise = (plain[kind] * plain[2] / found[2] - found[kind])[0]
        out.append([_index(name, found[kind][0, at], error[at], noise[at]) for at in range(ab.shape[1])])
    return list(zip(*out, strict=True))


def _ratios(a: F64, b: F64, ab: F64, weights: F64) -> tuple[F64, F64, F64]:
    """S and T, shape (weightings, factors), and V, (weightings, 1), with the rows weighted in several ways."""
    step = ab - a[:, None, :]
    middle = weights @ ((a + b) / 2)
    variance = (weights @ ((_cross(a, a) + _cross(b, b)) / 2) - _cross(middle, middle))[:, None]
    variance = np.where(variance > 0.0, variance, np.nan)
    return weights @ _cross(b[:, None, :], step) / variance, weights @ _cross(step, step) / 2 / variance, variance


def _cross(u: F64, v: F64) -> F64:
    """The product of two means over luck, from their values under the same seeds (the last axis)."""
    seeds = max(u.shape[-1], v.shape[-1])
    if seeds == 1:
        return u[..., 0] * v[..., 0]
    found: F64 = (u.sum(axis=-1) * v.sum(axis=-1) - (u * v).sum(axis=-1)) / (seeds * (seeds - 1))
    return found


def _picks(blocks: int, seed: int) -> F64:
    """Weights of the blocks in each resample of a bootstrap, shape (resamples, blocks)."""
    drawn: I64 = draws.below(
        "study.indices/bootstrap", np.uint64(seed), blocks, np.arange(RESAMPLES * blocks, dtype=np.uint64)
    )
    place = drawn + blocks * np.repeat(np.arange(RESAMPLES), blocks)
    counts: F64 = np.bincount(place, minlength=RESAMPLES * blocks).reshape(RESAMPLES, blocks) / blocks
    return counts


def _shrinkage(seeds: int) -> float:
    """c4: the mean of a sample's standard deviation over that of the normal law that it comes from."""
    return (2 / (seeds - 1)) ** 0.5 * exp(lgamma(seeds / 2) - lgamma((seeds - 1) / 2)) if seeds > 1 else 1.0


def _error(resampled: F64, by_seed: F64) -> F64:
    """Standard errors, from resamples of the blocks (resamples, factors) and each seed alone (factors, seeds)."""
    seeds = by_seed.shape[-1]
    luck = by_seed.var(axis=-1, ddof=1) / seeds if seeds > 1 else 0.0
    error: F64 = np.sqrt(np.nanvar(resampled, axis=0) + luck)
    return error


def _index(kind: str, value: float, error: float, noise: float) -> Index:
    half = _NORMAL * float(error)
    return Index(kind, float(value), float(value) - half, float(value) + half, float(noise))


def ranked(indices: Sequence[tuple[Index, ...]], kind: str) -> list[int]:
    """Places of the factors, the one with the largest index of this kind first; NaN last."""
    sizes = [next(index.value for index in each if index.kind == kind) for each in indices]
    return sorted(range(len(sizes)), key=lambda at: (np.isnan(sizes[at]), -sizes[at]))
