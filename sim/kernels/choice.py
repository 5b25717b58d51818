"""Discrete choice: of all that a session considers, the best, if it beats staying away."""

import numpy as np

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


def logistic(x: Array) -> F64:
    """The chance of a yes at log-odds `x`: 1 / (1 + e^-x)."""
    out: F64 = 1.0 / (1.0 + exp(-np.asarray(x, np.float64)))
    return out
