"""Twins of `sim.draws`: one pass over the addresses.

The functions of one address (``..._at``, and `mix`) are for other compiled functions. They take a purpose
(`sim.draws.purpose`), an event id and an index, all three of type uint64: with int64 they would become floats.
"""

import numpy as np

from sim.draws import FIRST, GOLDEN, SECOND
from sim.fast import compiled
from sim.fast.elementary import log_of
from sim.units import F64, U64

_GOLDEN, _FIRST, _SECOND = np.uint64(GOLDEN), np.uint64(FIRST), np.uint64(SECOND)
_30, _27, _31, _11, _32 = (np.uint64(shift) for shift in (30, 27, 31, 11, 32))
_1 = np.uint64(1)
_UNIT = 2.0**-53


@compiled
def mix(x: np.uint64) -> np.uint64:
    """`sim.draws.mix` of one number."""
    x = (x ^ (x >> _30)) * _FIRST
    x = (x ^ (x >> _27)) * _SECOND
    return x ^ (x >> _31)


@compiled
def bits_at(purpose: np.uint64, event: np.uint64, index: np.uint64) -> np.uint64:
    """64 random bits."""
    return mix(mix(event + purpose) ^ ((index + _1) * _GOLDEN))


@compiled
def to_uniform(word: np.uint64) -> float:
    """64 random bits as a number in (0, 1)."""
    return (np.float64(np.int64(word >> _11)) + 0.5) * _UNIT


@compiled
def uniform_at(purpose: np.uint64, event: np.uint64, index: np.uint64) -> float:
    """Uniform on (0, 1)."""
    return to_uniform(bits_at(purpose, event, index))


@compiled
def exponential_at(purpose: np.uint64, event: np.uint64, index: np.uint64) -> float:
    """Exponential with mean 1."""
    return -log_of(uniform_at(purpose, event, index))


@compiled
def gumbel_at(purpose: np.uint64, event: np.uint64, index: np.uint64) -> float:
    """Standard Gumbel."""
    return -log_of(exponential_at(purpose, event, index))


@compiled
def below_at(purpose: np.uint64, event: np.uint64, bound: np.uint64, index: np.uint64) -> np.int64:
    """An integer in [0, bound)."""
    return np.int64(((bits_at(purpose, event, index) >> _32) * bound) >> _32)


# ------------------------------------------------------------------------------- vectors: events, one index or as many


@compiled
def bits(purpose: np.uint64, event: U64, index: U64) -> U64:
    """64 random bits for each of the events; `index` has one entry, or one for each."""
    out = np.empty(event.size, np.uint64)
    if index.size == 1:
        where = (index[0] + _1) * _GOLDEN
        for i in range(event.size):
            out[i] = mix(mix(event[i] + purpose) ^ where)
    else:
        for i in range(event.size):
            out[i] = bits_at(purpose, event[i], index[i])
    return out


@compiled
def uniform(purpose: np.uint64, event: U64, index: U64) -> F64:
    """Uniform on (0, 1), addressed as `bits`."""
    out = np.empty(event.size)
    if index.size == 1:
        for i in range(event.size):
            out[i] = uniform_at(purpose, event[i], index[0])
    else:
        for i in range(event.size):
            out[i] = uniform_at(purpose, event[i], index[i])
    return out


@compiled
def exponential(purpose: np.uint64, event: U64, index: U64) -> F64:
    """Exponential with mean 1, addressed as `bits`."""
    out = uniform(purpose, event, index)
    for i in range(out.size):
        out[i] = -log_of(out[i])
    return out


@compiled
def gumbel(purpose: np.uint64, event: U64, index: U64) -> F64:
    """Standard Gumbel, addressed as `bits`."""
    out = uniform(purpose, event, index)
    for i in range(out.size):
        out[i] = -log_of(-log_of(out[i]))
    return out
