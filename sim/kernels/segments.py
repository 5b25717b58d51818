"""Rows grouped in segments: the exposures of each session, the requests for each item, the messages of each user.

A segment is a run of equal values in a nondecreasing integer array. Everywhere `n` is the number of rows, `s` the
number of segments; empty input gives empty output.
"""

import numpy as np

from sim.kernels.order import stable
from sim.units import I64, U64, Array, Bools


def first(segment: Array) -> Bools:
    """Which rows begin a segment, shape (n,)."""
    out = np.empty(segment.size, np.bool_)
    out[:1] = True
    np.not_equal(segment[1:], segment[:-1], out=out[1:])
    return out


def starts(segment: Array) -> I64:
    """Where each segment begins, shape (s,)."""
    return first(segment).nonzero()[0]


def counts(segment: Array) -> I64:
    """How many rows each segment has, shape (s,)."""
    return _lengths(starts(segment), segment.size)


def rank(segment: Array) -> I64:
    """The place of each row in its segment, from 0, shape (n,)."""
    begin = starts(segment)
    out: I64 = np.arange(segment.size)
    out -= _spread(begin, begin, segment.size)
    return out


def argmax(segment: Array, value: Array, tie: U64) -> I64:
    """The row with the largest value of each segment, shape (s,): of equal ones the smallest `tie`, then the first.

    `value` must not hold nan.
    """
    begin = starts(segment)
    if begin.size == 0:
        return begin
    if begin.size == segment.size:
        return begin
    best: I64 = (value == _spread(np.maximum.reduceat(value, begin), begin, segment.size)).nonzero()[0]
    if best.size == begin.size:
        return best
    segment, tie = segment[best], tie[best]
    begin = starts(segment)
    least = tie == _spread(np.minimum.reduceat(tie, begin), begin, segment.size)
    best, segment = best[least], segment[least]
    out: I64 = best[starts(segment)]
    return out


def top_k(segment: Array, value: Array, k: int | Array, tie: U64) -> Bools:
    """Which rows are among the `k` largest of their segment, shape (n,): equal ones as in `argmax`.

    `k` is one number, or one per row that is the same throughout a segment. Only segments with more than `k` rows
    are sorted, and `tie` is looked at only if two of their values are equal.
    """
    begin = starts(segment)
    length = _lengths(begin, segment.size)
    limit = np.broadcast_to(k, segment.shape)
    crowded = (length > limit[begin]).repeat(length)
    out = ~crowded
    at = crowded.nonzero()[0]
    if at.size:
        group = np.cumsum(first(segment[at]))  # numbers small enough to pack
        order = _descending(group, value[at], tie[at])
        out[at[order[rank(group) < limit[at]]]] = True
    return out


def _lengths(begin: I64, n: int) -> I64:
    out = np.empty_like(begin)
    np.subtract(begin[1:], begin[:-1], out=out[:-1])
    out[-1:] = n - begin[-1:]
    return out


def _spread(per_segment: Array, begin: I64, n: int) -> Array:
    out: Array = per_segment.repeat(_lengths(begin, n))
    return out


def _descending(segment: Array, value: Array, tie: U64) -> Array:
    """Rows by (segment, value from the largest, tie, position)."""
    down = -value if value.dtype.kind == "f" else ~value  # ~ turns the order of integers round without overflow
    order = np.argsort(down)
    order = order[stable(segment[order])]
    ordered = down[order]
    if (ordered[1:] == ordered[:-1]).any():  # seldom: values carry noise
        order = np.lexsort((tie, down, segment))
    return order
