"""Relation slots: the few merchants that each user remembers, in a table of N users by K slots.

A slot holds a merchant's number, or -1 if it is empty; a merchant has at most one slot of a user.
"""

import numpy as np

from sim.kernels import segments
from sim.units import I64, Array, Bools

_LAST = np.iinfo(np.int64).max
_FIRST = np.iinfo(np.int64).min


def where(mask: Bools) -> tuple[I64, I64]:
    """Row and place of what is true in a table (n, k), ordered by both; ten times as fast as numpy's own."""
    at = mask.ravel().nonzero()[0]
    row: I64 = at // mask.shape[1]
    return row, at - row * mask.shape[1]


def find(merchants: Array, user: Array, merchant: Array) -> I64:
    """The slot in which each user keeps the merchant, or -1, shape (n,) like `user` and `merchant` (>= 0)."""
    row, place = where(merchants.take(user, axis=0) == merchant[:, None])
    slot = np.full(user.size, -1)
    slot[row] = place
    return slot


def claim(merchants: Array, protected: Bools, value: Array, user: Array, merchant: Array) -> tuple[I64, Bools]:
    """A slot for each distinct pair (user, merchant), sorted so; returns (slot or -1, whether it is newly taken).

    The slot that the merchant has already; else the first empty one; else the one with the lowest value that is not
    protected (the first of equals), whose merchant is forgotten. New merchants of one user are served in order of
    merchant, never at the cost of a relation named in the same call. `protected` and `value` have shape (N, K);
    values lie strictly between the limits of int64. Nothing is written: that is the caller's.
    """
    slot = find(merchants, user, merchant)
    need = (slot < 0).nonzero()[0]
    fresh = np.zeros(slot.size, np.bool_)
    if need.size == 0:
        return slot, fresh
    newcomer = user[need]
    who = newcomer[segments.first(newcomer)]
    price = np.where(protected[who], _LAST, value[who])
    price[merchants[who] < 0] = _FIRST
    _reserve(price, who, user, slot)
    slot[need] = _assign(price, np.searchsorted(who, newcomer), segments.rank(newcomer))
    fresh[need] = slot[need] >= 0
    return slot, fresh


def _reserve(price: I64, who: Array, user: Array, slot: I64) -> None:
    """Keep the slots that this very call has found for users with newcomers."""
    known = (slot >= 0).nonzero()[0]
    row = np.minimum(np.searchsorted(who, user[known]), who.size - 1)
    same = who[row] == user[known]
    price[row[same], slot[known[same]]] = _LAST


def _assign(price: I64, row: I64, turn: I64) -> I64:
    """Give each newcomer its row's cheapest slot, turn by turn; -1 when only protected ones are left."""
    slot = np.full(row.size, -1, np.int64)
    for at in ((turn == k).nonzero()[0] for k in range(int(turn.max()) + 1)):
        cheapest = price[row[at]].argmin(axis=1)
        slot[at] = np.where(price[row[at], cheapest] < _LAST, cheapest, -1)
        price[row[at], cheapest] = _LAST
    return slot
