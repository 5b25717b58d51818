"""First come, first served: who gets the last piece, the gift, the next seat.

Rows are requests in settling order, by (time, event id).
"""

import numpy as np

from sim.kernels import segments
from sim.kernels.order import stable
from sim.units import I64, U64, Array, Bools


def first_come(item: Array, quantity: Array, available: I64) -> Bools:
    """Which requests for pieces of an item are granted, shape (n,).

    A request asks for `quantity` > 0 pieces and is granted if that many are left at its moment; a negative quantity
    puts pieces back, and zero asks for nothing: both are always granted. `available` holds the opening stock of every
    item. Items whose whole demand is covered by it are granted at once; only the others are walked through.
    """
    granted = np.ones(item.size, np.bool_)
    demand = np.bincount(item, np.maximum(quantity, 0), available.size)  # sums of integers: exact below 2**53
    contested = ((demand > available)[item]).nonzero()[0]
    left: dict[int, int] = {}
    for row, what, asked in zip(
        contested.tolist(), item[contested].tolist(), quantity[contested].tolist(), strict=True
    ):
        stock = left.get(what)
        if stock is None:
            stock = int(available[what])
        if asked > 0 and asked > stock:
            granted[row] = False
        else:
            left[what] = stock - asked
    return granted


def first_wins(subject: U64, open_sorted: U64) -> Bools:
    """Which requests win their subject, shape (n,): the first on each subject that is in `open_sorted`."""
    granted = np.zeros(subject.size, np.bool_)
    if subject.size == 0:
        return granted
    order = np.argsort(subject)
    first = np.minimum.reduceat(order, segments.starts(subject[order]))  # the earliest row on each subject
    granted[first[member(subject[first], open_sorted)]] = True
    return granted


def member(value: Array, table: Array) -> Bools:
    """Which values are in the sorted table, shape like `value`."""
    if table.size == 0:
        return np.zeros(value.shape, np.bool_)
    at = np.searchsorted(table, value)
    out: Bools = table[np.minimum(at, table.size - 1)] == value
    return out


def tickets(item: Array, issued: I64) -> I64:
    """The ticket number of each row, shape (n,): those of its item count on from `issued[item]`."""
    order = stable(item)
    out = np.empty(item.size, np.int64)
    out[order] = segments.rank(item[order])
    out += issued[item]
    return out
