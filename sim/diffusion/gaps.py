"""How many ties fail before the next one succeeds, looked up in tables of whole numbers.

With success probability p, ``limits[k]`` of the 2**62 possible draws lead to a success among the next k + 1 ties, so
the gap is the number of limits that are at most the draw: inversion of the geometric distribution
(Devroye 1986, III.2), without a logarithm. A guide table (Chen and Asau 1974) starts the search: the first bits of
the draw choose a cell, in which at most one limit lies, or else the cell says so.

For probabilities that differ by tie there is a table per level, a coarse bound that the probability falls under: three
bits of mantissa from 1 down to 2**-20. A second draw then keeps a success with probability p / bound.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from sim.units import F64, I64, Array

STRETCH = 64  # ties of a row that are skipped through together; part of the addresses of draws
BITS = 62  # of a draw
WIDTH = STRETCH + 1  # limits per level: among 1 to STRETCH ties, and one above all draws
CELLS = 1024  # per level
SHIFT = BITS - 10  # from a draw to its cell
CROWDED = 128  # added to a gap if more limits than one lie in the cell: search
LOWEST = 160  # level of the lowest bound: eight per power of two
MANTISSA = 49  # bits that a level leaves out
ONE = 1023 << 3  # the leading bits of 1.0


class Gaps(NamedTuple):
    """Tables, level after level."""

    limits: I64  # (levels · WIDTH,)
    guide: Array  # (levels · CELLS,) uint8: the gap at the low end of the cell, perhaps + CROWDED
    bounds: F64  # (levels,)


def gaps(bounds: F64) -> Gaps:
    """The tables of these success probabilities, shape (levels,), each in [0, 1]."""
    among = np.zeros((bounds.size, STRETCH + 1))  # chance of a success among the next 0, 1, ... ties
    for k in range(STRETCH):
        among[:, k + 1] = among[:, k] + bounds * (1.0 - among[:, k])
    limits = np.full((bounds.size, WIDTH), 2**63 - 1, np.int64)
    limits[:, :-1] = np.rint(np.ldexp(among[:, 1:], BITS)).astype(np.int64)
    edge = np.arange(CELLS + 1) << SHIFT
    passed = np.stack([np.searchsorted(row[:-1], edge - (edge == edge[-1]), "right") for row in limits])
    inside = np.diff(passed, axis=1)
    guide = (passed[:, :-1] + CROWDED * (inside > 1)).astype(np.uint8)
    return Gaps(limits.ravel(), guide.ravel(), bounds)


@cache
def levels() -> Gaps:
    """The tables of all levels."""
    return gaps((np.int64(ONE) - np.arange(LOWEST + 1) << MANTISSA).view(np.float64))


def level(probability: F64) -> I64:
    """The level whose bound is the least that is not under a probability; of very small ones the last."""
    out: I64 = probability.view(np.int64) + ((1 << MANTISSA) - 1)
    out >>= MANTISSA
    np.subtract(ONE, out, out)
    return np.minimum(out, LOWEST, out=out)


def leap(tables: Gaps, draw: I64, at: I64, room: I64) -> I64:
    """The gap at each draw, from the tables of the level `at`; where it is not under `room`, only that much is true."""
    cell = draw >> SHIFT
    if at.ndim:
        cell += at * CELLS
    guide = tables.guide.take(cell)
    crowded = (guide >= CROWDED).nonzero()[0]
    guide &= CROWDED - 1
    out = guide.astype(np.int64)
    base = at * WIDTH
    if crowded.size:
        near = crowded[out.take(crowded) < room.take(crowded)]
        out[near] = _searched(tables.limits, draw[near], base[near] if at.ndim else base)
    base = base + out if at.ndim else out
    out += tables.limits.take(base) <= draw
    return out


def _searched(limits: I64, draw: I64, base: I64) -> I64:
    """How many of the limits from base on are at most the draw, by halving."""
    out = np.zeros(draw.size, np.int64)
    step = STRETCH
    while step:
        on = np.minimum(out + step, STRETCH)
        np.copyto(out, on, where=limits[base + on - 1] <= draw)
        step //= 2
    return out
