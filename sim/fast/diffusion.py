"""Twins of `sim.diffusion.arrays`: one replication at a time, in staged passes over blocks of the newly reached.

Each pass does one thing for a whole block (find rows, draw gaps, compact, gather whom they lead to, mark), without
branches that depend on memory, so many reads are under way at once.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sim import draws
from sim.diffusion.cascades import Reached
from sim.diffusion.network import Network
from sim.diffusion.rules import COIN, NEED, NODE, SKIP, STRETCH, Chances, Needs
from sim.diffusion.rules import mean_gap as mean_gap_of
from sim.fast import compiled
from sim.fast.draws import mix, to_uniform
from sim.fast.elementary import log_of
from sim.units import F64, I32, I64, U64, Array

BLOCK = 8_192  # stretches at a time: what they need stays in cache
_NUMBER, _WEIGHT, _FACTORED = 0, 1, 2
_FORMS = {"number": _NUMBER, "weight": _WEIGHT, "factored": _FACTORED}
_NODE, _SKIP, _COIN = (np.uint64(draws.purpose(name)) for name in (NODE, SKIP, COIN))
_GOLDEN, _1 = np.uint64(draws.GOLDEN), np.uint64(1)


@compiled
def _uniform(word: np.uint64, index: np.uint64) -> float:
    """The draw of an event whose id has been mixed with the purpose, at an index."""
    return to_uniform(mix(word ^ ((index + _1) * _GOLDEN)))


@compiled
def _event(key: np.uint64, node: np.int64) -> np.uint64:
    """The event id of a node in a replication; `key` is the replication's, with the purpose added."""
    return mix(mix(key) ^ ((np.uint64(node) + _1) * _GOLDEN))


@compiled
def _mean_gap(p: float) -> float:
    rest = 1.0 - p
    return 1.0 / max(p, 1e-300) if rest == 1.0 else (rest - 1.0) / (log_of(rest) * p)


# --------------------------------------------------------------------------------------------------------- waves


@compiled
def _begin(order: I32, bounds: I64, seen: Array, parent: I32, seeds: int) -> tuple[int, int, int]:
    """The seeds are the first wave."""
    seen[:] = 0
    parent[:] = -1
    for i in range(seeds):
        seen[order[i]] = 1
    bounds[0], bounds[1] = 0, seeds
    return 0, seeds, 1


@compiled
def _close(order: I32, bounds: I64, seen: Array, last: int, total: int, waves: int) -> tuple[int, int, int]:
    """A step is over: those reached in it are the next senders."""
    for i in range(last, total):
        seen[order[i]] = 1
    if total > last:
        waves += 1
        bounds[waves] = total
    return last, total, waves


@compiled
def _claim(
    hits: int, indices: I32, entry: I64, by: I32, who: I32, key: np.uint64, order: I32, total: int, seen: Array,
    parent: I32,
) -> int:  # fmt: skip
    """Mark whom the entries lead to; of several senders the one whose event id is least is the parent."""
    tree = parent.size > 0
    for i in range(hits):
        entry[i] = indices[entry[i]]
    for i in range(hits):
        v = entry[i]
        new = seen[v] == 0
        if tree:
            u = who[by[i]]
            if new or (seen[v] == 2 and _event(key, u) < _event(key, parent[v])):
                parent[v] = u
        order[total] = v
        total += new
        seen[v] = 2 if new else seen[v]
    return total


# ------------------------------------------------------------------------------------------- independent cascade


@compiled
def _rows(
    indptr: I64, order: I32, first: int, rows: int, key: np.uint64, sender: F64,
    start: I64, stop: I64, word: U64, head: F64,
) -> None:  # fmt: skip
    """Where the rows of these nodes are, their event ids mixed with the purpose, and their factors, if any."""
    for i in range(rows):
        start[i] = indptr[order[first + i]]
    for i in range(rows):
        stop[i] = indptr[order[first + i] + 1]
    if sender.size:
        for i in range(rows):
            head[i] = sender[order[first + i]]
    for i in range(rows):
        word[i] = mix(_event(key, order[first + i]) + _SKIP)


@compiled
def _open(
    rows: int, i: int, offset: int, start: I64, stop: I64, at: I64, end: I64, row: I32
) -> tuple[int, int, int]:  # fmt: skip
    """Fill the block with stretches of rows, from place `offset` of row i on: how many, and where it stopped."""
    n = 0
    while i < rows and n < at.size:
        j, last = start[i] + offset, stop[i]
        while j < last and n < at.size:
            at[n], end[n], row[n] = j, min(j + STRETCH, last), i
            n += 1
            j += STRETCH
        if j < last:
            return n, i, j - start[i]
        offset = 0
        i += 1
    return n, i, 0


@compiled
def _bounds(
    form: int, n: int, weight: F64, layer: Array, levels: F64, head: F64, at: I64, row: I32, bound: F64
) -> None:
    """What the probability is at most in the rest of each stretch."""
    if form == _WEIGHT:
        for i in range(n):
            bound[i] = weight[at[i]]
    elif layer.size:
        for i in range(n):
            bound[i] = head[row[i]] * levels[layer[at[i]]]
    else:
        for i in range(n):
            bound[i] = head[row[i]] * levels[0]


@compiled
def _coin(n: int, at: I64, row: I32, start: I64, word: U64, which: int, coin: F64) -> None:
    """The first or second draw at each entry."""
    for i in range(n):
        coin[i] = _uniform(word[row[i]], np.uint64(2 * (at[i] - start[row[i]]) + which))


@compiled
def _leap(n: int, coin: F64, gap: float, misses: F64, at: I64, end: I64, row: I32, entry: I64, by: I32) -> int:
    """To the next success with one p: stretches that have another are moved to the front, and so are the entries."""
    hits = 0
    for i in range(n):
        hit = coin[i] > misses[end[i] - at[i]]
        entry[hits], end[hits], by[hits], coin[hits] = at[i], end[i], row[i], coin[i]
        hits += hit
    for i in range(hits):  # a guess, which rounding may have put beside what the table says
        at[i] = min(np.int64(log_of(coin[i]) * -gap), end[i] - entry[i] - 1)
    for i in range(hits):
        far = at[i]
        while far > 0 and misses[far] < coin[i]:
            far -= 1
        while misses[far + 1] >= coin[i]:
            far += 1
        entry[i] += far
    return hits


@compiled
def _leap_bounded(n: int, coin: F64, bound: F64, at: I64, end: I64, row: I32, entry: I64, by: I32) -> int:
    """The same at a bound for each stretch."""
    for i in range(n):
        coin[i] = -log_of(coin[i]) * _mean_gap(bound[i])
    hits = 0
    for i in range(n):
        room, far = np.float64(end[i] - at[i]), coin[i]
        hit = far < room
        entry[hits], end[hits], by[hits], bound[hits] = at[i] + np.int64(far if hit else room), end[i], row[i], bound[i]
        hits += hit
    return hits


@compiled
def _go_on(hits: int, entry: I64, by: I32, at: I64, end: I64, row: I32) -> int:
    """Stretches that are not over go on behind the entry that was hit."""
    on = 0
    for i in range(hits):
        at[on], end[on], row[on] = entry[i] + 1, end[i], by[i]
        on += at[on] < end[on]
    return on


@compiled
def _thin(
    form: int, hits: int, weight: F64, layer: Array, levels: F64, head: F64, receiver: F64, indices: I32,
    coin: F64, bound: F64, entry: I64, by: I32,
) -> int:  # fmt: skip
    """Keep a hit with probability chance / bound."""
    kept = 0
    for i in range(hits):
        j, r = entry[i], by[i]
        if form == _WEIGHT:
            chance = weight[j]
        elif layer.size:
            chance = head[r] * levels[layer[j]] * receiver[indices[j]]
        else:
            chance = head[r] * levels[0] * receiver[indices[j]]
        entry[kept], by[kept] = j, r
        kept += coin[i] * bound[i] < chance
    return kept


@compiled
def _skips(
    indptr: I64, indices: I32, form: int, p: float, weight: F64, layer: Array, levels: F64, sender: F64, receiver: F64,
    gap: float, misses: F64, key: np.uint64, seeds: int, steps: int, order: I32, bounds: I64, seen: Array, parent: I32,
) -> int:  # fmt: skip
    """From success to success along rows, in stretches; the number of steps, seeds included."""
    start, stop, word = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.uint64)
    head = np.empty(BLOCK)
    at, end, row = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int32)
    entry, by, coin, bound = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int32), np.empty(BLOCK), np.empty(BLOCK)
    first, last, waves = _begin(order, bounds, seen, parent, seeds)
    total = last
    while first < last and waves <= steps:
        for block in range(first, last, BLOCK):
            rows = min(BLOCK, last - block)
            who = order[block : block + rows]
            _rows(indptr, order, block, rows, key, sender, start, stop, word, head)
            i = offset = 0
            while i < rows:
                n, i, offset = _open(rows, i, offset, start, stop, at, end, row)
                while n:
                    _coin(n, at, row, start, word, 0, coin)
                    if form == _NUMBER:
                        hits = _leap(n, coin, gap, misses, at, end, row, entry, by)
                        n = _go_on(hits, entry, by, at, end, row)
                    else:
                        _bounds(form, n, weight, layer, levels, head, at, row, bound)
                        hits = _leap_bounded(n, coin, bound, at, end, row, entry, by)
                        n = _go_on(hits, entry, by, at, end, row)
                        _coin(hits, entry, by, start, word, 1, coin)
                        ties = (weight, layer, levels, head, receiver)
                        hits = _thin(form, hits, *ties, indices, coin, bound, entry, by)
                    total = _claim(hits, indices, entry, by, who, key, order, total, seen, parent)
        first, last, waves = _close(order, bounds, seen, last, total, waves)
    return waves


@compiled
def _coins(
    indptr: I64, indices: I32, form: int, p: float, weight: F64, layer: Array, levels: F64, sender: F64, receiver: F64,
    gap: float, misses: F64, key: np.uint64, seeds: int, steps: int, order: I32, bounds: I64, seen: Array, parent: I32,
) -> int:  # fmt: skip
    """A draw for every tie; the number of steps, seeds included."""
    entry, by = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int32)
    first, last, waves = _begin(order, bounds, seen, parent, seeds)
    total = last
    while first < last and waves <= steps:
        who, hits = order[first:last], 0
        for i in range(first, last):
            u = order[i]
            word = mix(_event(key, u) + _COIN)
            for j in range(indptr[u], indptr[u + 1]):
                if form == _NUMBER:
                    chance = p
                elif form == _WEIGHT:
                    chance = weight[j]
                else:
                    chance = sender[u] * levels[layer[j] if layer.size else 0] * receiver[indices[j]]
                entry[hits], by[hits] = j, i - first
                hits += _uniform(word, np.uint64(indices[j])) < chance
                if hits == entry.size:
                    total = _claim(hits, indices, entry, by, who, key, order, total, seen, parent)
                    hits = 0
        total = _claim(hits, indices, entry, by, who, key, order, total, seen, parent)
        first, last, waves = _close(order, bounds, seen, last, total, waves)
    return waves


# ---------------------------------------------------------------------------------------------- threshold models


@compiled
def _adopt(
    indptr: I64, indices: I32, key: np.uint64, order: I32, first: int, last: int, seen: Array, parent: I32
) -> None:
    """The parent of those reached in this step: of its senders to a node the one whose event id is least."""
    for i in range(first, last):
        u = order[i]
        event = _event(key, u)
        for j in range(indptr[u], indptr[u + 1]):
            v = indices[j]
            if seen[v] == 2 and (parent[v] < 0 or event < _event(key, parent[v])):
                parent[v] = u


@compiled
def _counts(
    indptr: I64, indices: I32, need: I64, part: I64, key: np.uint64, seeds: int, steps: int,
    order: I32, bounds: I64, seen: Array, parent: I32,
) -> int:  # fmt: skip
    """Parts of reached neighbours are taken off what a node needs; the number of steps, seeds included."""
    first, last, waves = _begin(order, bounds, seen, parent, seeds)
    total = last
    while first < last and waves <= steps:
        for i in range(first, last):
            u = order[i]
            for j in range(indptr[u], indptr[u + 1]):
                v = indices[j]
                need[v] -= part[j] if part.size else 1
                new = need[v] <= 0 and seen[v] == 0
                order[total] = v
                total += new
                seen[v] = 2 if new else seen[v]
        if parent.size:
            _adopt(indptr, indices, key, order, first, last, seen, parent)
        first, last, waves = _close(order, bounds, seen, last, total, waves)
    return waves


# -------------------------------------------------------------------------------------------------- replications


def spread(
    net: Network, rule: Chances | Needs, seeds: list[I64], keys: U64, record: str, steps: int
) -> Iterator[Reached]:
    """Replications with these seeds and keys, one by one in order."""
    order, bounds = np.empty(net.n + 1, np.int32), np.empty(net.n + 2, np.int64)
    seen, tree = np.empty(net.n, np.uint8), record == "tree"
    parent = np.empty(net.n if tree else 0, np.int32)
    out: tuple[Any, ...] = (order, bounds, seen, parent)
    graph: tuple[Any, ...] = (net.indptr, net.indices)
    counts: Any = _counts
    for nodes, key, word in zip(seeds, keys, keys + _NODE, strict=True):
        order[: nodes.size] = nodes
        if isinstance(rule, Needs):
            need = rule.of(draws.bits(NEED, key, np.arange(net.n)), np.arange(net.n))
            waves = counts(*graph, need, rule.part, word, nodes.size, steps, *out)
        else:
            form, gap = _FORMS[rule.form], mean_gap_of(rule.p)
            ties: tuple[Any, ...] = (form, rule.p, rule.weight, rule.layer, rule.levels, rule.sender, rule.receiver)
            way: Any = _coins if rule.coins else _skips
            waves = way(*graph, *ties, gap, rule.misses, word, nodes.size, steps, *out)
        yield _told(order, bounds[: waves + 1], parent, net.n, record)


def _told(order: I32, bounds: I64, parent: I32, n: int, record: str) -> Reached:
    """A replication, as it is recorded."""
    curve = np.diff(bounds)
    if record == "reach":
        return Reached(curve)
    time = np.full(n, -1, np.int32)
    time[order[: bounds[-1]]] = np.arange(curve.size, dtype=np.int32).repeat(curve)
    node = (time >= 0).nonzero()[0].astype(np.int32)
    return Reached(curve, node, time[node], parent[node] if record == "tree" else None)
