"""Natural logarithm and exponential from + - * / and bit shifts alone.

numpy, numba and libm disagree in the last bit of `log` and `exp`, which would let two engines take two
different decisions. These agree everywhere, because IEEE 754 fixes the operations that they use.
Relative error under 4e-16 for `log` away from 1 and `exp` (fdlibm's reduction and coefficients, Sun 1993).
"""

import numpy as np

from sim.units import F64

_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_INV_LN2 = 1.44269504088896338700e00
_LG = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
_P = (
    1.66666666666666019037e-01,
    -2.77777777770155933842e-03,
    6.61375632143793436117e-05,
    -1.65339022054652515390e-06,
    4.13813679705723846039e-08,
)
_SQRT_HALF = 0.7071067811865476
_MANTISSA = np.int64(0x000FFFFFFFFFFFFF)
_SQRT_HALF_BITS = np.float64(_SQRT_HALF).view(np.int64)
_EXP_LIMIT = 700.0


def log(x: F64) -> F64:
    """Natural logarithm of positive normal numbers. Zero or less gives -inf."""
    x = np.asarray(x, np.float64)
    bits = np.atleast_1d(x).view(np.int64) - _SQRT_HALF_BITS  # so that the mantissa falls in [sqrt(1/2), sqrt(2))
    k = (bits >> 52).astype(np.float64)
    bits &= _MANTISSA
    bits += _SQRT_HALF_BITS
    f = bits.view(np.float64)
    f -= 1.0
    s = f + 2.0
    np.divide(f, s, out=s)
    z = s * s
    tail = z * _LG[6]
    for coefficient in _LG[5::-1]:
        tail += coefficient
        tail *= z
    half = f * 0.5
    half *= f
    tail += half
    tail *= s
    tail += np.multiply(k, _LN2_LO, out=z)
    np.subtract(half, tail, out=tail)
    tail -= f
    k *= _LN2_HI
    k -= tail
    out: F64 = k.reshape(x.shape)
    return out if (x > 0.0).all() else np.where(x > 0.0, out, -np.inf)


def exp(x: F64) -> F64:
    """Exponential; the argument is clipped to [-700, 700], so the result is always finite and positive."""
    x = np.clip(np.asarray(x, np.float64), -_EXP_LIMIT, _EXP_LIMIT)
    k = np.floor(x * _INV_LN2 + 0.5)
    high = x - k * _LN2_HI
    low = k * _LN2_LO
    r = high - low
    t = r * r
    c = r - t * (_P[0] + t * (_P[1] + t * (_P[2] + t * (_P[3] + t * _P[4]))))
    y = 1.0 - ((low - (r * c) / (2.0 - c)) - high)
    out: F64 = np.ldexp(y, k.astype(np.int32))  # exact scaling by a power of two
    return out
