"""Twins of `sim.kernels`: a row at a time, nothing kept of what loses."""

import numpy as np

from sim.fast import compiled
from sim.fast.draws import exponential_at
from sim.units import F64, I64, U64, Array


@compiled
def by_share(weight: Array, spin: F64) -> I64:
    """`sim.kernels.choice.by_share`."""
    columns = weight.shape[1]
    out = np.empty(spin.shape, np.int64)
    upto = np.empty(columns)
    for i in range(spin.shape[0]):
        total = 0.0
        for c in range(columns):
            total += np.float64(weight[i, c])
            upto[c] = total
        for j in range(spin.shape[1]):
            limit = spin[i, j] * total
            column = 0
            for c in range(columns - 1):
                column += upto[c] < limit
            out[i, j] = column
    return out


@compiled
def race(purpose: np.uint64, event: U64, lane: I64, world: I64, table: I64, row: I64, number: I64, weight: F64) -> I64:
    """`sim.kernels.choice.race`."""
    out = np.empty(event.size, np.int64)
    for i in range(event.size):
        first, winner = np.inf, np.int64(-1)
        for c in range(table.shape[1]):
            entry = table[row[i], c]
            arrival = exponential_at(purpose, event[i], np.uint64(number[entry] + lane[i])) / weight[world[i], entry]
            if arrival < first:
                first, winner = arrival, entry
        out[i] = winner
    return out
