"""Twins of `sim.elementary`: one pass over the numbers; `log_of` and `exp_of` are for other compiled functions."""

import math

import numpy as np

from sim.elementary import EXP_COEFFICIENTS, INV_LN2, LN2_HI, LN2_LO, LOG_COEFFICIENTS, SQRT_HALF
from sim.fast import compiled
from sim.units import F64

_A, _B, _C, _D, _E, _G, _H = LOG_COEFFICIENTS
_P, _Q, _R, _S, _T = EXP_COEFFICIENTS
_SQRT_HALF_BITS = np.float64(SQRT_HALF).view(np.int64)
_MANTISSA = np.int64(0x000FFFFFFFFFFFFF)


@compiled
def log_of(x: float) -> float:
    """`sim.elementary.log` of one number."""
    bits = np.float64(x).view(np.int64) - _SQRT_HALF_BITS
    k = np.float64(bits >> 52)
    f = np.int64((bits & _MANTISSA) + _SQRT_HALF_BITS).view(np.float64) - 1.0
    s = f / (f + 2.0)
    z = s * s
    tail = ((((((z * _A + _B) * z + _C) * z + _D) * z + _E) * z + _G) * z + _H) * z
    half = f * 0.5 * f
    value = k * LN2_HI - ((half - ((tail + half) * s + k * LN2_LO)) - f)
    return value if x > 0.0 else -np.inf


@compiled
def exp_of(x: float) -> float:
    """`sim.elementary.exp` of one number."""
    x = min(max(x, -700.0), 700.0)
    k = math.floor(x * INV_LN2 + 0.5)
    high = x - k * LN2_HI
    low = k * LN2_LO
    r = high - low
    t = r * r
    y = r - t * ((((t * _P + _Q) * t + _R) * t + _S) * t + _T)
    y = 1.0 - ((low - (r * y) / (2.0 - y)) - high)
    # exact scaling by 2**k, -1010 <= k <= 1010: the exponent's bits of a number between 1/2 and 2
    return np.int64(np.float64(y).view(np.int64) + (np.int64(k) << 52)).view(np.float64)


@compiled
def log(x: F64) -> F64:
    """`sim.elementary.log` of a vector."""
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = log_of(x[i])
    return out


@compiled
def exp(x: F64) -> F64:
    """`sim.elementary.exp` of a vector."""
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = exp_of(x[i])
    return out
