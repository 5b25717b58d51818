"""Discrete choice: of all that a session considers, the best, if it beats staying away."""

import numpy as np

from sim import draws, fast
from sim.elementary import exp
from sim.kernels import segments
from sim.units import F64, I64, U64, Array


def discrete_choice(segment: Array, utility: F64, outside: F64, tie: U64) -> I64:
    """The row that each segment chooses, or -1 if its outside option is at least as good, shape (s,).

    `utility` holds the noise already: with standard Gumbel noise on every option the shares are those of the
    multinomial logit (McFadden 1974). `outside` has one value per segment, in order.
    """
    best = segments.argmax(segment, utility, tie)
    out: I64 = np.where(utility[best] > outside, best, -1)
    return out


def by_share(weight: Array, spin: F64) -> I64:
    """A column of each row of `weight` (n, k) in proportion to it, for each of the row's `spin` (n, m) in (0, 1).

    The first column at which the running sum reaches spin · total. Shape (n, m).
    """
    if fast.on(weight.size):
        from sim.fast import kernels as twin

        return twin.by_share(weight, spin)
    upto = np.cumsum(weight.T, axis=0, dtype=np.float64)  # (k, n): one addition a column for all rows at once
    limit = spin * upto[-1][:, None]
    out = np.zeros(spin.shape, np.int64)
    for column in upto[:-1]:
        out += column[:, None] < limit
    return out


def race(name: str, event: U64, lane: I64, world: I64, table: I64, row: I64, number: I64, weight: F64) -> I64:
    """The entry of each `table[row]` that wins an exponential race, so that shares are in proportion to its weight.

    Row i's entry x arrives at E / weight[world[i], x], with E exponential and addressed by (`name`, `event[i]`,
    number[x] + lane[i]); of equal arrivals the first. Shapes (n,), but `table` (rows, k), `number` (entries,),
    `weight` (worlds, entries), positive.
    """
    if fast.on(event.size):
        from sim.fast import kernels as twin

        return twin.race(draws.purpose(name), event, lane, world, table, row, number, weight)
    entry = table.take(row, axis=0)
    arrival = draws.exponential(name, event[:, None], number[entry] + lane[:, None])
    arrival /= weight[world[:, None], entry]
    out: I64 = np.take_along_axis(entry, arrival.argmin(axis=1)[:, None], 1)[:, 0]
    return out


def logistic(x: Array) -> F64:
    """The chance of a yes at log-odds `x`: 1 / (1 + e^-x)."""
    out: F64 = 1.0 / (1.0 + exp(-np.asarray(x, np.float64)))
    return out


def at_odds(probability: F64, ratio: Array | float) -> F64:
    """A chance after its odds are multiplied: p·r / (1 - p + p·r)."""
    raised = probability * ratio
    out: F64 = raised / (1.0 - probability + raised)
    return out
