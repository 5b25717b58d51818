"""Spreading with numpy: blocks of the newly reached, of several replications side by side.

A node of a replication is one number, ``replication · n + node``. Within a step all that matters is sets, so
neither the blocks nor the order within them can change a result.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from sim import draws
from sim.diffusion.cascades import Reached
from sim.diffusion.network import Network
from sim.diffusion.rules import COIN, NEED, NODE, SKIP, STRETCH, Chances, Needs, uniform
from sim.elementary import log
from sim.kernels.expand import expand
from sim.units import F64, I64, U64, Array, Bools

BLOCK = 32_768  # rows at a time: what they need stays in cache
BESIDE = 2**20  # nodes of all replications side by side
_GOLDEN = np.uint64(draws.GOLDEN)


class _Batch:
    """Some replications: how a number is a replication and a node, and who was reached so far."""

    def __init__(self, net: Network, keys: U64) -> None:
        self.net, self.keys, self.n = net, keys, net.n
        self.seen = np.zeros(keys.size * net.n, np.bool_)
        self._mark = np.empty(self.seen.size, np.int32)

    def split(self, state: I64) -> tuple[I64, I64, U64]:
        """Shift to the replication (nothing if there is but one), node, and event id of each."""
        if self.keys.size == 1:
            return np.zeros(0, np.int64), state, draws.bits(NODE, self.keys, state)
        replication, node = np.divmod(state, self.n)
        return replication * self.n, node, draws.bits(NODE, self.keys[replication], node)

    def reached(self, shift: I64, entries: list[I64], places: list[I64]) -> tuple[I64, I64]:
        """Whom these entries lead to, in the replication of the sender at each place."""
        entry, place = (np.concatenate(parts) if parts else np.zeros(0, np.int64) for parts in (entries, places))
        state = self.net.indices[entry].astype(np.int64)
        return state if self.keys.size == 1 else state + shift[place], place

    def each_once(self, state: I64) -> I64:
        """Different ones: of equal ones the last."""
        place = np.arange(state.size, dtype=np.int32)
        self._mark[state] = place
        out: I64 = state[self._mark[state] == place]
        return out


class _Way(Protocol):
    """How reached nodes reach others."""

    def touch(self, sender: I64) -> tuple[I64, I64]:
        """Whom these reach, with repeats, and the place in `sender` of who does it."""

    def ready(self, state: I64) -> Bools:
        """Which of those that were touched are thereby reached."""


def spread(
    net: Network, rule: Chances | Needs, seeds: list[I64], keys: U64, record: str, steps: int
) -> Iterator[Reached]:
    """Replications with these seeds and keys, one by one in order."""
    batch = _Batch(net, keys)
    way: _Way = _Counts(batch, rule) if isinstance(rule, Needs) else (_Coins if rule.coins else _Skips)(batch, rule)
    new = np.concatenate([nodes + i * net.n for i, nodes in enumerate(seeds)])
    batch.seen[new] = True
    waves, parents = [new], [np.full(new.size, -1)]
    step = _step_with_parents if record == "tree" else _step
    while new.size and len(waves) <= steps:
        new, parent = step(batch, way, new)
        waves.append(new)
        parents.append(parent)
    return _told(batch, waves, parents, record)


def _step(batch: _Batch, way: _Way, senders: I64) -> tuple[I64, I64]:
    """Who is newly reached, each once."""
    found = []
    for at in range(0, senders.size, BLOCK):
        state, _ = way.touch(senders[at : at + BLOCK])
        state = batch.each_once(state[way.ready(state)])
        batch.seen[state] = True
        found.append(state)
    return np.concatenate(found), np.zeros(0, np.int64)


def _step_with_parents(batch: _Batch, way: _Way, senders: I64) -> tuple[I64, I64]:
    """Who is newly reached, each once, and through whom: the sender whose event id is least."""
    touched = [way.touch(senders[at : at + BLOCK]) for at in range(0, senders.size, BLOCK)]
    state = np.concatenate([who for who, _ in touched])
    by = np.concatenate([senders[place + i * BLOCK] for i, (_, place) in enumerate(touched)])
    ready = way.ready(state).nonzero()[0]
    state, by = state[ready], by[ready]
    order = np.lexsort((batch.split(by)[2], state))
    order = order[np.diff(state[order], prepend=-1) != 0]
    batch.seen[state[order]] = True
    return state[order], by[order] % max(batch.n, 1)


class _Skips:
    """From success to success along rows, in stretches of at most 64 entries."""

    def __init__(self, batch: _Batch, rule: Chances) -> None:
        self._batch, self._indptr, self._ties = batch, batch.net.indptr, _Ties(batch.net, rule)
        self._misses = rule.misses
        self._rising = self._misses[:0:-1].copy()
        self._leap = self._evenly if rule.form == "number" else self._thinned

    def ready(self, state: I64) -> Bools:
        return ~self._batch.seen[state]

    def touch(self, sender: I64) -> tuple[I64, I64]:
        shift, node, event = self._batch.split(sender)
        rows = _Rows(self._ties.head(node), self._indptr[node], draws.mix(event + draws.purpose(SKIP)))
        row, at, end = _stretches(rows.start, self._indptr[node + 1])
        entries, senders = [], []
        while at.size:
            on, entry, kept = self._leap(rows, row, at, end)
            row, end = row[on], end[on]
            entries.append(entry[kept])
            senders.append(row[kept])
            at = entry + 1
            left = (at < end).nonzero()[0]
            row, at, end = row[left], at[left], end[left]
        return self._batch.reached(shift, entries, senders)

    def _evenly(self, rows: "_Rows", row: I64, at: I64, end: I64) -> tuple[I64, I64, Array | slice]:
        """Which stretches have another success, at which entry, and which of these are kept: all, with one p."""
        coin, room = rows.uniform(row, at, 0), end - at
        on = (coin > self._misses[room]).nonzero()[0]
        gap = STRETCH - np.searchsorted(self._rising, coin[on])
        return on, at[on] + gap, slice(None)

    def _thinned(self, rows: "_Rows", row: I64, at: I64, end: I64) -> tuple[I64, I64, Array | slice]:
        """The same at a bound, and a second draw for what the tie's own probability falls short of it."""
        head = rows.head[row] if rows.head.size else rows.head
        bound = self._ties.bound(at, head)
        gap = -log(rows.uniform(row, at, 0)) * _mean_gaps(bound)
        on = (gap < end - at).nonzero()[0]
        entry = at[on] + gap[on].astype(np.int64)
        coin = rows.uniform(row[on], entry, 1) * bound[on]
        return on, entry, coin < self._ties.chance(entry, head[on] if head.size else head)


class _Rows(NamedTuple):
    """The rows of a block of senders."""

    head: F64  # the sender's factor, or empty
    start: I64
    word: U64  # event id mixed with the purpose

    def uniform(self, row: I64, at: I64, which: int) -> F64:
        """The first or second draw at an entry; its index is twice its place in the row, or one more."""
        index = at - self.start[row]
        index *= 2
        index += which + 1
        mixed = index.view(np.uint64)
        mixed *= _GOLDEN
        mixed ^= self.word[row]
        return uniform(draws.mix(mixed))


class _Coins:
    """A draw for every tie, addressed by sender and receiver."""

    def __init__(self, batch: _Batch, rule: Chances) -> None:
        self._batch, self._net, self._ties = batch, batch.net, _Ties(batch.net, rule)

    def ready(self, state: I64) -> Bools:
        return ~self._batch.seen[state]

    def touch(self, sender: I64) -> tuple[I64, I64]:
        shift, node, event = self._batch.split(sender)
        place, at = expand(self._net.indptr[node], self._net.indptr[node + 1])
        coin = draws.uniform(COIN, event[place], self._net.indices[at])
        head = self._ties.head(node)
        kept = coin < self._ties.chance(at, head[place] if head.size else head)
        return self._batch.reached(shift, [at[kept]], [place[kept]])


class _Counts:
    """The parts of reached neighbours add up."""

    def __init__(self, batch: _Batch, rule: Needs) -> None:
        self._batch, self._net, self._part = batch, batch.net, rule.part
        node = np.arange(batch.n)
        self._need = np.concatenate([rule.of(draws.bits(NEED, key, node), node) for key in batch.keys])
        self._sum = np.zeros(self._need.size, np.int64)

    def ready(self, state: I64) -> Bools:
        return (self._sum[state] >= self._need[state]) & ~self._batch.seen[state]

    def touch(self, sender: I64) -> tuple[I64, I64]:
        shift, node, _ = self._batch.split(sender)
        place, at = expand(self._net.indptr[node], self._net.indptr[node + 1])
        state, place = self._batch.reached(shift, [at], [place])
        np.add.at(self._sum, state, self._part[at] if self._part.size else 1)
        return state, place


class _Ties:
    """Probabilities of ties and bounds on them, by place of the entry and the sender's factor."""

    def __init__(self, net: Network, rule: Chances) -> None:
        self._rule, self._indices = rule, net.indices

    def head(self, node: I64) -> F64:
        """The senders' factors; empty if probabilities have none."""
        return self._rule.sender[node] if self._rule.form == "factored" else self._rule.sender

    def bound(self, at: I64, head: F64) -> F64:
        """What the probability is at most, from this entry to the end of its row."""
        rule = self._rule
        if rule.form == "number":
            return np.full(at.size, rule.p)
        if rule.form == "weight":
            return rule.weight[at]
        out: F64 = head * (rule.levels[rule.layer[at]] if rule.layer.size else rule.levels[0])
        return out

    def chance(self, at: I64, head: F64) -> F64:
        """The probability of each tie."""
        out = self.bound(at, head)
        if self._rule.form == "factored":
            out *= self._rule.receiver[self._indices[at]]
        return out


def _mean_gaps(p: F64) -> F64:
    """`sim.diffusion.rules.mean_gap` of many."""
    rest = 1.0 - p
    out: F64 = (rest - 1.0) / (log(rest) * p + (rest == 1.0))  # the bracket: no division of zero by zero
    small = (rest == 1.0).nonzero()[0]
    out[small] = 1.0 / np.maximum(p[small], 1e-300)
    return out


def _stretches(start: I64, stop: I64) -> tuple[I64, I64, I64]:
    """Rows cut into stretches: place of the row, first entry and end of each."""
    count = (stop - start + STRETCH - 1) // STRETCH
    place, rank = expand(np.zeros_like(count), count)
    at = start[place] + rank * STRETCH
    return place, at, np.minimum(at + STRETCH, stop[place])


def _told(batch: _Batch, waves: list[I64], parents: list[I64], record: str) -> Iterator[Reached]:
    """Replications, as they are recorded."""
    n = max(batch.n, 1)
    curves = np.stack([np.bincount(wave // n, minlength=batch.keys.size) for wave in waves], axis=1)
    if record == "reach":
        yield from (Reached(np.trim_zeros(curve, "b")) for curve in curves)
        return
    time, parent = (np.full(batch.seen.size, -1, np.int32) for _ in range(2))
    for step, (wave, by) in enumerate(zip(waves, parents, strict=True)):
        time[wave] = step
        parent[wave] = by if by.size else -1
    for i, curve in enumerate(curves):
        rows = slice(i * batch.n, (i + 1) * batch.n)
        node = (time[rows] >= 0).nonzero()[0].astype(np.int32)
        through = parent[rows][node] if record == "tree" else None
        yield Reached(np.trim_zeros(curve, "b"), node, time[rows][node], through)
