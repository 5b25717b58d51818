"""Natural logarithm and exponential from + - * / and bit shifts alone.

numpy, numba and libm disagree in the last bit of `log` and `exp`, which would let two engines take two
different decisions. These agree everywhere, because IEEE 754 fixes the operations that they use.
Relative error under 4e-16 for `log` away from 1 and `exp` (fdlibm's reduction and coefficients, Sun 1993).
"""

import numpy as np

from sim.units import F64


def _constants(*values: float) -> tuple[F64, ...]:
    """Numbers as arrays without dimensions, which numpy combines faster with arrays than Python's."""
    return tuple(np.array(value) for value in values)


_ONE, _TWO, _HALF, _ZERO, _SQRT_HALF = _constants(1.0, 2.0, 0.5, 0.0, 0.7071067811865476)
_LN2_HI, _LN2_LO, _INV_LN2 = _constants(
    6.93147180369123816490e-01, 1.90821492927058770002e-10, 1.44269504088896338700e00
)
_LG = _constants(
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)  # from the highest power
_P = _constants(
    4.13813679705723846039e-08,
    -1.65339022054652515390e-06,
    6.61375632143793436117e-05,
    -2.77777777770155933842e-03,
    1.66666666666666019037e-01,
)  # from the highest power
_MANTISSA, _MANTISSA_BITS = np.array(0x000FFFFFFFFFFFFF), np.array(52)
_SQRT_HALF_BITS = _SQRT_HALF.view(np.int64)
_LIMIT, _LEAST = _constants(700.0, -700.0)


def log(x: F64) -> F64:
    """Natural logarithm of positive normal numbers. Zero or less gives -inf."""
    x = np.asarray(x, np.float64)
    if not x.size:
        return x
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
    x = np.minimum(np.maximum(np.asarray(x, np.float64), _LEAST), _LIMIT)
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
