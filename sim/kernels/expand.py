"""From rows to the entries of their lists: users to friends, fans, groups; products to variants.

Lists are kept as compressed sparse rows: those of row i are `indices[indptr[i]:indptr[i + 1]]`.
"""

from math import ldexp

import numpy as np

from sim import draws
from sim.elementary import log_of
from sim.units import F64, I64, U64, Array

MOST_HALVINGS = 20
_MANY = 5_000  # rows
_MEAN_GAP: F64 = np.array([0.0, *(-1.0 / log_of(1.0 - ldexp(1.0, -h)) for h in range(1, MOST_HALVINGS + 1))])


def expand(start: Array, stop: Array) -> tuple[I64, I64]:
    """All positions of the ranges [start, stop) with the range that owns each, ordered by both."""
    length = stop - start
    owner = np.arange(length.size).repeat(length)
    before = length.cumsum() - length
    position: I64 = np.arange(owner.size)
    position += (start - before)[owner]
    return owner, position


def neighbours(indptr: Array, indices: Array, rows: Array) -> tuple[I64, Array]:
    """The entries of each row's list with the place in `rows` that owns them, ordered by owner."""
    owner, position = expand(indptr[rows], indptr[rows + 1])
    return owner, indices[position]


def bound(probability: Array | float) -> I64:
    """The most halvings h, at most 20, with 2**-h >= probability; to skip at, before a thinning coin decides."""
    mantissa, exponent = np.frexp(np.asarray(probability, np.float64))
    halvings: I64 = np.where(mantissa == 0.5, 1 - exponent, -exponent).astype(np.int64)
    return np.where(mantissa == 0.0, MOST_HALVINGS, np.clip(halvings, 0, MOST_HALVINGS))


def fan_out(indptr: Array, rows: Array, event: U64, halvings: Array, name: str) -> tuple[I64, I64]:
    """Positions of the list entries that a share reaches, with the place in `rows` of each, ordered by both.

    Each entry of `rows[i]`'s list is taken independently with probability 2**-halvings[i], halvings in [0, 20]. The
    gap before the next one taken is geometric, floor(E / -log(1 - p)) with E exponential (Devroye 1986, X.2), drawn
    at the address (`name`, `event[i]`, number of the gap): entries that are not taken cost nothing, and no row's
    result depends on another's.
    """
    start, stop = (np.asarray(end, np.int64) for end in (indptr[rows], indptr[rows + 1]))
    event, halvings = np.asarray(event), np.asarray(halvings)
    whole = halvings == 0
    if whole.all():
        return expand(start, stop)
    found = [expand(start, np.where(whole, stop, start))]
    left = (~whole & (stop > start)).nonzero()[0]
    at, gaps = start[left], np.zeros(left.size, np.int64)
    while left.size:
        block = _block(stop[left] - at, halvings[left])
        owner, gap = expand(gaps, gaps + block)
        position = _skip(at, owner, gap, event[left], halvings[left], block, name)
        inside = position < stop[left][owner]
        found.append((left[owner[inside]], position[inside]))
        last = np.cumsum(block) - 1
        more = (inside[last] & (position[last] + 1 < stop[left])).nonzero()[0]
        left, at, gaps = left[more], position[last[more]] + 1, (gaps + block)[more]
    return _merge(found)


def _block(remaining: I64, halvings: Array) -> I64:
    """How many gaps to draw at once for each row, which changes no result.

    Few rows draw enough to be done in one round, nearly always; for many, what is not drawn saves more than a round.
    """
    expected = remaining >> halvings
    spare = 1 if remaining.size > _MANY else 4 + 3 * np.sqrt(expected).astype(np.int64)
    out: I64 = np.minimum(expected + spare, remaining)
    return out


def _skip(at: I64, owner: I64, gap: I64, event: U64, halvings: Array, block: I64, name: str) -> I64:
    """Where each gap leads: gaps of one owner follow upon each other from `at`."""
    draw = draws.exponential(name, event[owner], gap)
    step = (draw * _MEAN_GAP[halvings][owner]).astype(np.int64) + 1
    total = np.cumsum(step)
    before = total[np.cumsum(block) - 1] - np.add.reduceat(step, np.cumsum(block) - block)
    out: I64 = total + (at - before - 1)[owner]
    return out


def _merge(found: list[tuple[I64, I64]]) -> tuple[I64, I64]:
    owner = np.concatenate([who for who, _ in found])
    position = np.concatenate([where for _, where in found])
    if len(found) > 1:
        order = np.argsort(owner, kind="stable")  # each row's own are found in order
        owner, position = owner[order], position[order]
    return owner, position
