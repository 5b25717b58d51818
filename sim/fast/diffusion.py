"""Twins of `sim.diffusion.arrays`: one replication at a time, in staged passes over blocks of the newly reached.

Each pass does one thing for a whole block (find rows, draw gaps, compact, gather whom they lead to, mark), without
branches that depend on memory, so many reads are under way at once.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sim import draws
from sim.diffusion.cascades import Reached
from sim.diffusion.gaps import CELLS, CROWDED, LOWEST, MANTISSA, ONE, SHIFT, STRETCH, WIDTH
from sim.diffusion.network import Network
from sim.diffusion.rules import COIN, NEED, NODE, SKIP, Chances, Needs
from sim.fast import compiled
from sim.fast.draws import mix, to_uniform
from sim.units import F64, I32, I64, U64, Array

BLOCK = 2_048
_NUMBER, _WEIGHT, _FACTORED = 0, 1, 2
_FORMS = {"number": _NUMBER, "weight": _WEIGHT, "factored": _FACTORED}
_NODE, _SKIP, _COIN = (np.uint64(draws.purpose(name)) for name in (NODE, SKIP, COIN))
_GOLDEN, _1, _2 = np.uint64(draws.GOLDEN), np.uint64(1), np.uint64(2)
_MANTISSA, _UP, _TOP, _LOWEST = MANTISSA, (1 << MANTISSA) - 1, ONE, LOWEST


@compiled
def _uniform(word: np.uint64, index: np.uint64) -> float:
    """The draw of an event whose id has been mixed with the purpose, at an index."""
    return to_uniform(mix(word ^ ((index + _1) * _GOLDEN)))


@compiled
def _event(key: np.uint64, node: np.int64) -> np.uint64:
    """The event id of a node in a replication; `key` is the replication's, with the purpose added."""
    return mix(mix(key) ^ ((np.uint64(node) + _1) * _GOLDEN))


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
    hits: int, node: I64, by: I32, who: I32, key: np.uint64, order: I32, total: int, seen: Array, parent: I32
) -> int:
    """Note and mark whom the hits lead to; of several senders the one whose event id is least is the parent."""
    if parent.size:
        for i in range(hits):
            v, u = node[i], who[by[i]]
            if seen[v] != 1 and (parent[v] < 0 or _event(key, u) < _event(key, parent[v])):
                parent[v] = u
    for i in range(hits):
        v = node[i]
        order[total] = v
        total += seen[v] == 0
        seen[v] |= (seen[v] == 0) << 1  # no branch: who was reached before is as good as random
    return total


# ------------------------------------------------------------------------------------------- independent cascade


@compiled
def _level(probability: float) -> int:
    """`sim.diffusion.gaps.level` of one number."""
    return min(_TOP - int((np.float64(probability).view(np.int64) + _UP) >> _MANTISSA), _LOWEST)


@compiled
def _rows(
    indptr: I64, order: I32, first: int, rows: int, key: np.uint64, sender: F64, levels: F64,
    start: I64, stop: I64, word: U64, head: F64, lead: I64,
) -> None:  # fmt: skip
    """Where the rows of these nodes are and their draws begin, and their factors and levels, if any."""
    for i in range(rows):
        start[i] = indptr[order[first + i]]
    for i in range(rows):
        stop[i] = indptr[order[first + i] + 1]
    for i in range(rows):
        word[i] = _event(key, order[first + i])
    if sender.size:
        for i in range(rows):
            head[i] = sender[order[first + i]]
            lead[i] = _level(head[i] * levels[0])


@compiled
def _open(
    rows: int, i: int, offset: int, start: I64, stop: I64, begin: U64, lead: I64,
    at: I64, end: I64, row: I32, word: U64, level: I64,
) -> tuple[int, int, int]:  # fmt: skip
    """Fill the block with stretches of rows, from place `offset` of row i on: how many, and where it stopped."""
    n = 0
    while i < rows and n < at.size:
        j, last = start[i] + offset, stop[i]
        while j < last and n < at.size:
            at[n], end[n], row[n], level[n] = j, min(j + STRETCH, last), i, lead[i]
            word[n] = begin[i] + np.uint64(j - start[i]) * _GOLDEN
            n += 1
            j += STRETCH
        if j < last:
            return n, i, j - start[i]
        offset = 0
        i += 1
    return n, i, 0


@compiled
def _bounds(
    n: int, form: int, weight: F64, layer: Array, levels: F64, head: F64, at: I64, end: I64, row: I32, level: I64
) -> None:
    """The level that the probability is under in the rest of each stretch, where that is not the whole row's."""
    if form == _WEIGHT:
        for i in range(n):
            level[i] = _level(weight[min(at[i], end[i] - 1)])
    else:
        for i in range(n):
            level[i] = _level(head[row[i]] * levels[layer[min(at[i], end[i] - 1)]])


@compiled
def _leap(n: int, limits: I64, guide: Array, at: I64, end: I64, row: I32, word: U64, level: I64, draw: I64) -> int:
    """To the next success, by tables: stretches that have another are moved to the front."""
    for i in range(n):
        word[i] += _GOLDEN
        draw[i] = np.int64(mix(word[i]) >> _2)
    hits = 0
    for i in range(n):
        base, room = level[i] * WIDTH, end[i] - at[i]
        gap = int(guide[level[i] * CELLS + (draw[i] >> SHIFT)])
        if gap >= CROWDED:
            gap -= CROWDED
            step = STRETCH if gap < room else 0
            while step:
                on = gap + step if gap + step < STRETCH else STRETCH
                gap = on if limits[base + on - 1] <= draw[i] else gap
                step >>= 1
        gap += limits[base + gap] <= draw[i]
        at[hits], end[hits], row[hits], word[hits], level[hits] = at[i] + gap, end[i], row[i], word[i], level[i]
        hits += gap < room
    return hits


@compiled
def _chances(
    n: int, form: int, weight: F64, layer: Array, levels: F64, head: F64, receiver: F64,
    at: I64, row: I32, node: I64, chance: F64,
) -> None:  # fmt: skip
    """The probability of each tie."""
    if form == _WEIGHT:
        for i in range(n):
            chance[i] = weight[at[i]]
        return
    for i in range(n):
        chance[i] = receiver[node[i]]
    if layer.size:
        for i in range(n):
            chance[i] *= head[row[i]] * levels[layer[at[i]]]
    else:
        for i in range(n):
            chance[i] *= head[row[i]] * levels[0]


@compiled
def _thin(n: int, bounds: F64, level: I64, word: U64, chance: F64, coin: F64, node: I64, by: I32) -> int:
    """Keep a hit with probability chance / bound."""
    for i in range(n):
        coin[i] = to_uniform(mix(word[i] ^ _COIN))
    for i in range(n):
        coin[i] *= bounds[level[i]]
    kept = 0
    for i in range(n):
        node[kept], by[kept] = node[i], by[i]
        kept += coin[i] < chance[i]
    return kept


@compiled
def _skips(
    indptr: I64, indices: I32, form: int, p: float, weight: F64, layer: Array, levels: F64, sender: F64, receiver: F64,
    limits: I64, guide: Array, bounds_of: F64, key: np.uint64, skip: np.uint64, seeds: int, steps: int,
    order: I32, bounds: I64, seen: Array, parent: I32,
) -> int:  # fmt: skip
    """From success to success along rows, in stretches; the number of steps, seeds included."""
    start, stop, begin = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.uint64)
    head, lead = np.zeros(BLOCK), np.zeros(BLOCK, np.int64)
    at, end, row = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int32)
    word, draw, level = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    node, by = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int32)
    chance, coin = np.empty(BLOCK), np.empty(BLOCK)
    moving = form == _WEIGHT or (form == _FACTORED and layer.size > 0)
    first, last, waves = _begin(order, bounds, seen, parent, seeds)
    total = last
    while first < last and waves <= steps:
        for block in range(first, last, BLOCK):
            rows = min(BLOCK, last - block)
            who = order[block : block + rows]
            _rows(indptr, order, block, rows, skip, sender, levels, start, stop, begin, head, lead)
            i = offset = 0
            while i < rows:
                n, i, offset = _open(rows, i, offset, start, stop, begin, lead, at, end, row, word, level)
                while n:
                    if moving:
                        _bounds(n, form, weight, layer, levels, head, at, end, row, level)
                    n = _leap(n, limits, guide, at, end, row, word, level, draw)
                    for k in range(n):
                        node[k], by[k] = indices[at[k]], row[k]
                    hits = n
                    if form != _NUMBER:
                        _chances(n, form, weight, layer, levels, head, receiver, at, row, node, chance)
                        hits = _thin(n, bounds_of, level, word, chance, coin, node, by)
                    total = _claim(hits, node, by, who, key, order, total, seen, parent)
                    for k in range(n):
                        at[k] += 1
        first, last, waves = _close(order, bounds, seen, last, total, waves)
    return waves


@compiled
def _coins(
    indptr: I64, indices: I32, form: int, p: float, weight: F64, layer: Array, levels: F64, sender: F64, receiver: F64,
    key: np.uint64, seeds: int, steps: int, order: I32, bounds: I64, seen: Array, parent: I32,
) -> int:  # fmt: skip
    """A draw for every tie; the number of steps, seeds included."""
    node, by = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int32)
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
                node[hits], by[hits] = indices[j], i - first
                hits += _uniform(word, np.uint64(indices[j])) < chance
                if hits == node.size:
                    total = _claim(hits, node, by, who, key, order, total, seen, parent)
                    hits = 0
        total = _claim(hits, node, by, who, key, order, total, seen, parent)
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
    tables = rule.tables() if isinstance(rule, Chances) else ()
    for nodes, key, word, skip in zip(seeds, keys, keys + _NODE, keys + _SKIP, strict=True):
        order[: nodes.size] = nodes
        if isinstance(rule, Needs):
            need = rule.of(draws.bits(NEED, key, np.arange(net.n)), np.arange(net.n))
            waves = counts(*graph, need, rule.part, word, nodes.size, steps, *out)
        else:
            ties: tuple[Any, ...] = (
                _FORMS[rule.form],
                rule.p,
                rule.weight,
                rule.layer,
                rule.levels,
                rule.sender,
                rule.receiver,
            )
            way: Any = _coins if rule.coins else _skips
            address = (word,) if rule.coins else (*tables, word, skip)
            waves = way(*graph, *ties, *address, nodes.size, steps, *out)
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
