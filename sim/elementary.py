"""Natural logarithm and exponential from + - * / and bit shifts alone.

numpy, numba and libm disagree in the last bit of `log` and `exp`, which would let two engines take two
different decisions. These agree everywhere, because IEEE 754 fixes the operations that they use.
Relative error under 4e-16 for `log` away from 1 and `exp` (fdlibm's reduction and coefficients, Sun 1993).

A few numbers take the same steps as plain floats, which is up to ten times faster than numpy's price per call.
"""

from collections.abc import Callable
from math import floor, frexp, inf, ldexp

import numpy as np

from sim import fast
from sim.units import F64


def _constants(*values: float) -> tuple[F64, ...]:
    """Numbers as arrays without dimensions, which numpy combines faster with arrays than Python's."""
    return tuple(np.array(value) for value in values)


SQRT_HALF, INV_LN2 = 0.7071067811865476, 1.44269504088896338700e00
LN2_HI, LN2_LO = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # their sum is log 2
LOG_COEFFICIENTS = (
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)  # from the highest power
EXP_COEFFICIENTS = (
    4.13813679705723846039e-08,
    -1.65339022054652515390e-06,
    6.61375632143793436117e-05,
    -2.77777777770155933842e-03,
    1.66666666666666019037e-01,
)  # from the highest power

_ONE, _TWO, _HALF, _ZERO, _SQRT_HALF = _constants(1.0, 2.0, 0.5, 0.0, SQRT_HALF)
_LN2_HI, _LN2_LO, _INV_LN2 = _constants(LN2_HI, LN2_LO, INV_LN2)
_LG, _P = _constants(*LOG_COEFFICIENTS), _constants(*EXP_COEFFICIENTS)
FEW = 8  # numbers that are done one by one
_MANTISSA, _MANTISSA_BITS = np.array(0x000FFFFFFFFFFFFF), np.array(52)
_SQRT_HALF_BITS = _SQRT_HALF.view(np.int64)
_LIMIT, _LEAST = _constants(700.0, -700.0)


def log(x: F64) -> F64:
    """Natural logarithm of positive normal numbers. Zero or less gives -inf."""
    x = np.asarray(x, np.float64)
    if x.size <= FEW:
        return one_by_one(log_of, x)
    if fast.on(x.size):
        from sim.fast import elementary as twin

        return twin.log(x.ravel()).reshape(x.shape)
    bits = (x if x.ndim else x.reshape(1)).view(
        np.int64
    ) - _SQRT_HALF_BITS  # so the mantissa is in [sqrt(1/2), sqrt(2))
    k = (bits >> _MANTISSA_BITS).astype(np.float64)
    bits &= _MANTISSA
    bits += _SQRT_HALF_BITS
    f = bits.view(np.float64)
    f -= _ONE
    s = f + _TWO
    np.divide(f, s, s)
    z = s * s
    tail = z * _LG[0]
    for coefficient in _LG[1:]:
        tail += coefficient
        tail *= z
    half = f * _HALF
    half *= f
    tail += half
    tail *= s
    tail += np.multiply(k, _LN2_LO, z)
    np.subtract(half, tail, tail)
    tail -= f
    k *= _LN2_HI
    k -= tail
    positive = x > _ZERO
    out: F64 = k.reshape(x.shape)
    return out if np.count_nonzero(positive) == x.size else np.where(positive, out, -np.inf)


def exp(x: F64) -> F64:
    """Exponential; the argument is clipped to [-700, 700], so the result is always finite and positive."""
    x = np.asarray(x, np.float64)
    if x.size <= FEW:
        return one_by_one(exp_of, x)
    if fast.on(x.size):
        from sim.fast import elementary as twin

        return twin.exp(x.ravel()).reshape(x.shape)
    x = np.minimum(np.maximum(x, _LEAST), _LIMIT)
    k = np.floor(x * _INV_LN2 + _HALF)
    high = x - k * _LN2_HI
    low = k * _LN2_LO
    r = high - low
    t = r * r
    series = t * _P[0]
    for coefficient in _P[1:-1]:
        series += coefficient
        series *= t
    series += _P[-1]
    c = r - t * series
    y = _ONE - ((low - (r * c) / (_TWO - c)) - high)
    out: F64 = np.ldexp(y, k.astype(np.int32))  # exact scaling by a power of two
    return out


# ------------------------------------------------------------------------------------------- one number


def one_by_one(function: Callable[[float], float], x: F64) -> F64:
    """A function of each number."""
    out: F64 = np.array([function(value) for value in x.ravel().tolist()], np.float64).reshape(x.shape)
    return out


def log_of(x: float) -> float:
    """`log` of one number."""
    if x <= 0.0:
        return -inf
    m, k = frexp(x)
    if m < SQRT_HALF:
        m += m
        k -= 1
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    a, b, c, d, e, g, h = LOG_COEFFICIENTS
    tail = ((((((z * a + b) * z + c) * z + d) * z + e) * z + g) * z + h) * z
    half = f * 0.5 * f
    return k * LN2_HI - ((half - ((tail + half) * s + k * LN2_LO)) - f)


def exp_of(x: float) -> float:
    """`exp` of one number."""
    x = min(max(x, -700.0), 700.0)
    k = floor(x * INV_LN2 + 0.5)
    high = x - k * LN2_HI
    low = k * LN2_LO
    r = high - low
    t = r * r
    a, b, c, d, e = EXP_COEFFICIENTS
    y = r - t * ((((t * a + b) * t + c) * t + d) * t + e)
    return ldexp(1.0 - ((low - (r * y) / (2.0 - y)) - high), k)
