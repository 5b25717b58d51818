"""Addressed random numbers: every draw is a pure function of (purpose, event id, index).

There is no generator and no state. The seed enters once, through a user's or merchant's key, from which all
event ids descend; so a draw does not depend on the order, batch, worker or strategy in which it is taken.
The index must be a natural key (which friend, which product), never a position in a list.

The mixer is the splitmix64 finaliser (Steele, Lea, Flood 2014, variant 13 of Stafford), applied twice.
All functions broadcast over numpy arrays and use only integer arithmetic, + - * / and comparisons, so every
processor agrees to the last bit.
"""

from functools import cache
from hashlib import blake2b

import numpy as np

from sim import fast
from sim.elementary import log, log_of
from sim.units import F64, I64, U64, Array, Bools

GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_ALL = 2**64 - 1


def _word(value: int) -> U64:
    """A constant as an array without dimensions: numpy combines it faster with arrays than a scalar."""
    return np.array(value & _ALL, np.uint64)


_STEP, _M1, _M2 = _word(GOLDEN), _word(FIRST), _word(SECOND)
_S30, _S27, _S31, _S11, _S32 = (_word(s) for s in (30, 27, 31, 11, 32))
_ONE = _word(1)
_HALF, _UNIT = np.array(0.5), np.array(2.0**-53)


@cache
def purpose(name: str) -> np.uint64:
    """The 64-bit constant of a purpose, e.g. ``"people.buy/taste"``: blake2b of its name."""
    return np.uint64(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little"))


def mix(x: U64) -> U64:
    """Scramble 64 bits: a bijection whose output bits each depend on all input bits."""
    return _mixed(x.copy())


def _mixed(x: U64) -> U64:
    """`mix` in place."""
    shifted = x >> _S30
    x ^= shifted
    x *= _M1
    x ^= np.right_shift(x, _S27, shifted)
    x *= _M2
    x ^= np.right_shift(x, _S31, shifted)
    return x


def bits(name: str, event: U64 | np.uint64, index: object = 0) -> U64:
    """64 random bits at an address. `event` and `index` broadcast; returns an array of at least one dimension."""
    lone = _lone(event, index)
    if lone is not None:
        shape, one, at = lone
        out: U64 = np.full(shape, _bits_of(name, one, at), np.uint64)
        return out
    if fast.on(_rows(event, index)):
        return _compiled("bits", name, event, index)
    parent = np.asarray(event, np.uint64)
    if not parent.size:
        return np.zeros(np.broadcast_shapes(parent.shape, np.asarray(index).shape), np.uint64)
    mixed = _mixed((parent if parent.ndim else parent.reshape(1)) + purpose(name))
    where = np.asarray(index)
    if where.ndim == 0:
        mixed ^= _word((int(where) + 1) * GOLDEN)
        return _mixed(mixed)
    where = where.astype(np.uint64)  # a copy: scrambled in place
    where += _ONE
    where *= _STEP
    if where.shape == mixed.shape or where.shape == np.broadcast_shapes(where.shape, mixed.shape):
        where ^= mixed
        return _mixed(where)
    return _mixed(mixed ^ where)


def uniform(name: str, event: U64 | np.uint64, index: object = 0) -> F64:
    """Uniform on the open interval (0, 1), 53 bits."""
    lone = _lone(event, index)
    if lone is not None:
        shape, one, at = lone
        return _alone(shape, _uniform_of(name, one, at))
    if fast.on(_rows(event, index)):
        return _compiled("uniform", name, event, index)
    whole = bits(name, event, index)
    whole >>= _S11
    out = whole.astype(np.float64)
    out += _HALF
    out *= _UNIT
    return out


def chance(name: str, event: U64 | np.uint64, probability: object, index: object = 0) -> Bools:
    """True with the given probability (0 never, 1 always). For one address, monotone in `probability`."""
    out: Bools = uniform(name, event, index) < np.asarray(probability)
    return out


def below(name: str, event: U64 | np.uint64, bound: object, index: object = 0) -> I64:
    """An integer in [0, bound), bound < 2**31; the bias is under 2**-32 · bound."""
    high = bits(name, event, index) >> _S32
    out: I64 = ((high * np.asarray(bound).astype(np.uint64)) >> _S32).astype(np.int64)
    return out


def exponential(name: str, event: U64 | np.uint64, index: object = 0) -> F64:
    """Exponential with mean 1."""
    lone = _lone(event, index)
    if lone is not None:
        shape, one, at = lone
        return _alone(shape, -log_of(_uniform_of(name, one, at)))
    if fast.on(_rows(event, index)):
        return _compiled("exponential", name, event, index)
    out = log(uniform(name, event, index))
    return np.negative(out, out)


def gumbel(name: str, event: U64 | np.uint64, index: object = 0) -> F64:
    """Standard Gumbel (location 0, scale 1): the noise whose arg-max gives logit shares."""
    lone = _lone(event, index)
    if lone is not None:
        shape, one, at = lone
        return _alone(shape, -log_of(-log_of(_uniform_of(name, one, at))))
    if fast.on(_rows(event, index)):
        return _compiled("gumbel", name, event, index)
    out = log(exponential(name, event, index))
    return np.negative(out, out)


def child(parent: U64 | np.uint64, kind: str, index: object = 0) -> U64:
    """The id of an event: a hash of its parent's id, its kind and its index under that parent; never 0."""
    ids = bits("event/" + kind, parent, index)
    return np.maximum(ids, _ONE, out=ids)


def keys(seed: int, what: str, count: int) -> U64:
    """Keys of `count` users or merchants of the world with this seed: hashes of (seed, what, number)."""
    return bits("key/" + what, np.uint64(seed % 2**64), np.arange(count, dtype=np.uint64))


def quantile(table: F64, name: str, event: U64 | np.uint64, index: object = 0) -> F64:
    """A draw from any distribution by its quantile table (see `sim.world.tables`), linear between points."""
    position = uniform(name, event, index) * (table.size - 1)
    low = position.astype(np.int64)
    out: F64 = table[low] + (table[np.minimum(low + 1, table.size - 1)] - table[low]) * (position - low)
    return out


def _compiled(draw: str, name: str, event: object, index: object) -> Array:
    """A draw by its compiled twin: of as many events as the result has entries, and as many indices, or one."""
    from sim.fast import draws as twin

    parent, where = np.asarray(event, np.uint64), np.asarray(index).astype(np.uint64, copy=False)
    shape = parent.shape
    if where.size != 1 or not parent.ndim:
        if where.shape != shape:
            shape = np.broadcast_shapes(shape, where.shape, (1,))
            parent, where = np.broadcast_to(parent, shape), np.broadcast_to(where, shape)
    elif where.ndim > parent.ndim:
        shape = np.broadcast_shapes(shape, where.shape)
    out: Array = getattr(twin, draw)(purpose(name), parent.ravel(), where.ravel())
    return out.reshape(shape)


# ------------------------------------------------------------------------------------------- one address


def _lone(event: object, index: object) -> tuple[tuple[int, ...], int, int] | None:
    """Shape, event and index if there is one of each: Python's integers are then faster than numpy's arrays."""
    parent, where = np.asarray(event), np.asarray(index)
    if parent.size != 1 or where.size != 1:
        return None
    return max(parent.shape, where.shape, (1,), key=len), int(parent.item()), int(where.item())


def _alone(shape: tuple[int, ...], value: float) -> F64:
    """One number as an array of one element."""
    out: F64 = np.empty(shape)
    out.fill(value)
    return out


def _rows(event: object, index: object) -> int:
    return max(np.asarray(event).size, np.asarray(index).size)


def _mix_of(x: int) -> int:
    """`mix` of one number."""
    x = (x ^ x >> 30) * FIRST & _ALL
    x = (x ^ x >> 27) * SECOND & _ALL
    return x ^ x >> 31


def _bits_of(name: str, event: int, index: int) -> int:
    """`bits` at one address."""
    return _mix_of(_mix_of(event + int(purpose(name)) & _ALL) ^ (index + 1) * GOLDEN & _ALL)


def _uniform_of(name: str, event: int, index: int) -> float:
    """`uniform` at one address."""
    return ((_bits_of(name, event, index) >> 11) + 0.5) * 2.0**-53
